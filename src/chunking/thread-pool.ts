/**
 * Warm worker threads for CPU-bound work, one job at a time each. A thread whose job fails, is aborted or runs
 * over its deadline is killed; the next job gets a new one. Waiting for a thread does not use up a job's time.
 */
import { once } from 'node:events';
import { type ResourceLimits, Worker } from 'node:worker_threads';

export interface ThreadPoolOptions {
  /** Answers each message by exactly one; what it throws is the job's failure. */
  readonly script: URL;
  /** Most threads; each is started when it is first needed. */
  readonly size: number;
  readonly workerData: unknown;
  readonly resourceLimits?: ResourceLimits;
}

/** Beyond them the thread is killed, which native code in it may not survive. */
export interface JobLimits {
  readonly deadlineMs?: number;
  /** An abort rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
}

export class ThreadDeadlineError extends Error {
  override readonly name = 'ThreadDeadlineError';
}

interface Waiter {
  readonly resolve: (thread: Worker) => void;
  readonly reject: (reason: unknown) => void;
}

export class ThreadPool<Job, Answer> {
  readonly #options: ThreadPoolOptions;
  readonly #threads = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  async run(job: Job, { deadlineMs, signal }: JobLimits = {}): Promise<Answer> {
    const thread = await this.#acquire(signal);
    const deadline = deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs);
    const limits = [signal, deadline].filter((limit) => limit !== undefined);
    thread.ref();
    try {
      thread.postMessage(job);
      const [answer] = await once(thread, 'message', { signal: AbortSignal.any(limits) });
      return answer;
    } catch (error) {
      this.#discard(thread);
      signal?.throwIfAborted();
      throw deadline?.aborted ? new ThreadDeadlineError(`over ${deadlineMs} ms`) : error;
    } finally {
      this.#release(thread);
    }
  }

  /** Kills every thread; jobs under way fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Worker> {
    signal?.throwIfAborted();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.size < this.#options.size) return this.#start();
    const { promise, ...waiter } = Promise.withResolvers<Worker>();
    const giveUp = () => waiter.reject(signal?.reason);
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', giveUp, { once: true });
    return promise.finally(() => {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', giveUp);
    });
  }

  #release(thread: Worker): void {
    const [waiter] = this.#waiters;
    const alive = this.#threads.has(thread);
    if (alive) thread.unref();
    if (waiter !== undefined) {
      this.#waiters.delete(waiter);
      waiter.resolve(alive ? thread : this.#start());
    } else if (alive) {
      this.#idle.push(thread);
    }
  }

  #start(): Worker {
    const { script, workerData, resourceLimits = {} } = this.#options;
    const thread = new Worker(script, { workerData, resourceLimits, execArgv: [] });
    thread.on('error', () => this.#discard(thread));
    thread.unref();
    this.#threads.add(thread);
    return thread;
  }

  #discard(thread: Worker): void {
    this.#threads.delete(thread);
    const index = this.#idle.indexOf(thread);
    if (index >= 0) this.#idle.splice(index, 1);
    void thread.terminate();
  }
}
