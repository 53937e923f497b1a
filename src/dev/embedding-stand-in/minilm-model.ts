/** all-MiniLM-L6-v2 in worker threads: real meaning, 384 dimensions, on any machine. */
import { ThreadPool } from '../../chunking/thread-pool.ts';
import type { EmbeddingModelFiles } from '../tools.ts';
import type { EmbeddedText, EmbeddingModel } from './embedding-model.ts';

/** One text at a time: batches of 8 take a third more time and twice the memory. */
export function createMiniLmModel(files: EmbeddingModelFiles, threads: number): EmbeddingModel {
  const pool = new ThreadPool<string, EmbeddedText>({
    script: new URL('./minilm-thread.ts', import.meta.url),
    size: threads,
    workerData: files,
  });
  const running = new Set<Promise<unknown>>();

  return {
    id: 'all-MiniLM-L6-v2',
    dimensions: 384,
    async embed(texts, signal) {
      const embedded: EmbeddedText[] = new Array(texts.length);
      const queue = texts.entries();
      // Lanes share the queue, and each waits for its text: a request never holds more threads than there are.
      const lanes = Array.from({ length: threads }, async () => {
        for (const [index, text] of queue) {
          signal.throwIfAborted();
          embedded[index] = await pool.run(text);
        }
      });
      const finished = Promise.allSettled(lanes);
      running.add(finished);
      void finished.then(() => running.delete(finished));
      await Promise.all(lanes);
      return embedded;
    },
    // Texts under way are let go on: a thread killed inside the ONNX runtime takes the whole process with it.
    async close() {
      await Promise.allSettled(running);
      await pool.close();
    },
  };
}
