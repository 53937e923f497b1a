/** all-MiniLM-L6-v2 in worker threads: real meaning, 384 dimensions, on any machine. */
import { ThreadPool } from '../../chunking/thread-pool.ts';
import type { EmbeddingModelFiles } from '../tools.ts';
import type { EmbeddedText, EmbeddingModel } from './embedding-model.ts';

/** Larger batches are slower and take more memory. */
const BATCH = 8;
const BATCH_DEADLINE_MS = 120_000;

export function createMiniLmModel(files: EmbeddingModelFiles, threads: number): EmbeddingModel {
  const pool = new ThreadPool<readonly string[], readonly EmbeddedText[]>({
    script: new URL('./minilm-thread.ts', import.meta.url),
    size: threads,
    workerData: files,
  });
  return {
    id: 'all-MiniLM-L6-v2',
    dimensions: 384,
    async embed(texts, signal) {
      // A batch is padded to its longest text.
      const order = texts.map((_, index) => index);
      order.sort((a, b) => (texts[a]?.length ?? 0) - (texts[b]?.length ?? 0));
      const embedded: EmbeddedText[] = new Array(texts.length);
      const batches = Array.from({ length: Math.ceil(order.length / BATCH) }, (_, index) =>
        order.slice(index * BATCH, (index + 1) * BATCH),
      );
      await Promise.all(
        batches.map(async (batch) => {
          const job = batch.map((index) => texts[index] ?? '');
          const answers = await pool.run(job, { deadlineMs: BATCH_DEADLINE_MS, signal });
          for (const [place, answer] of answers.entries()) embedded[batch[place] ?? 0] = answer;
        }),
      );
      return embedded;
    },
    close: () => pool.close(),
  };
}
