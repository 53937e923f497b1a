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
  const running = new Set<Promise<void>>();

  return {
    id: 'all-MiniLM-L6-v2',
    dimensions: 384,
    async embed(texts, signal) {
      const batches = batchesByLength(texts);
      const embedded: EmbeddedText[] = new Array(texts.length);
      const takeBatches = async () => {
        for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
          signal.throwIfAborted();
          const answers = await pool.run(batch.map(({ text }) => text));
          for (const [place, answer] of answers.entries()) {
            const index = batch[place]?.index;
            if (index !== undefined) embedded[index] = answer;
          }
        }
      };
      const lanes = Array.from({ length: threads }, takeBatches);
      for (const lane of lanes) {
        running.add(lane);
        const done = () => running.delete(lane);
        void lane.then(done, done);
      }
      await Promise.all(lanes);
      return embedded;
    },
    // Batches under way are let go on: a thread killed inside the ONNX runtime takes the whole process with it.
    async close() {
      await Promise.allSettled(running);
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
