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
  const running = new Set<Promise<void>>();

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
      for (const lane of lanes) {
        running.add(lane);
        const done = () => running.delete(lane);
        void lane.then(done, done);
      }
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
