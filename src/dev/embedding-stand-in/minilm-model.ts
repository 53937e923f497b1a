/** all-MiniLM-L6-v2 in worker threads: real meaning, 384 dimensions, on any machine. */
import { ThreadPool } from '../../chunking/thread-pool.ts';
import type { EmbeddingModelFiles } from '../tools.ts';
import type { EmbeddedText, EmbeddingModel } from './embedding-model.ts';

/** Larger batches are slower and take more memory. */
const BATCH = 8;

export function createMiniLmModel(files: EmbeddingModelFiles, threads: number): EmbeddingModel {
  const pool = new ThreadPool<readonly string[], readonly EmbeddedText[]>({
    script: new URL('./minilm-thread.ts', import.meta.url),
    size: threads,
    workerData: files,
  });
  const requests = new Set<Promise<unknown>>();

  const embed: EmbeddingModel['embed'] = async (texts, signal) => {
    const batches = batchesByLength(texts);
    const embedded: EmbeddedText[] = new Array(texts.length);
    const takeBatches = async () => {
      for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
        // A batch under way is let go on: a thread that is killed inside the runtime takes the process with it.
        signal.throwIfAborted();
        const answers = await pool.run(batch.map(({ text }) => text));
        for (const [place, { index }] of batch.entries()) {
          const answer = answers[place];
          if (answer !== undefined) embedded[index] = answer;
        }
      }
    };
    await Promise.all(Array.from({ length: threads }, takeBatches));
    return embedded;
  };

  return {
    id: 'all-MiniLM-L6-v2',
    dimensions: 384,
    async embed(texts, signal) {
      const request = embed(texts, signal);
      requests.add(request);
      return request.finally(() => requests.delete(request));
    },
    async close() {
      await Promise.allSettled(requests);
      await pool.close();
    },
  };
}

/** A batch is padded to its longest text. */
function batchesByLength(texts: readonly string[]): { text: string; index: number }[][] {
  const sorted = texts
    .map((text, index) => ({ text, index }))
    .toSorted((a, b) => a.text.length - b.text.length);
  return Array.from({ length: Math.ceil(sorted.length / BATCH) }, (_, number) =>
    sorted.slice(number * BATCH, (number + 1) * BATCH),
  );
}
