/**
 * Warm worker threads for CPU-bound work, one job at a time each. A thread whose job fails, is aborted or runs
 * over its deadline is killed; the next job gets a new one. Waiting for a thread does not use up a job's time.
 */
import { once } from 'node:events';
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { IntakeError } from '../domain/errors.ts';

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

class ThreadDeadlineError extends Error {
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

  readonly #closing = new AbortController();

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  async run(job: Job, { deadlineMs, signal }: JobLimits = {}): Promise<Answer> {
    const stop = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
    const thread = await this.#acquire(stop);
    const limits = deadlineMs === undefined ? [stop] : [stop, AbortSignal.timeout(deadlineMs)];
    const limit = AbortSignal.any(limits);
    thread.ref();
    try {
      thread.postMessage(job);
      const [answer] = await once(thread, 'message', { signal: limit });
      return answer;
    } catch (error) {
      this.#discard(thread);
      stop.throwIfAborted();
      throw limit.aborted ? new ThreadDeadlineError(`over ${deadlineMs} ms`) : error;
    } finally {
      this.#release(thread);
    }
  }

  /** Kills every thread; jobs under way or waiting fail with `SERVICE_UNAVAILABLE`, since they are not to blame. */
  async close(): Promise<void> {
    const threads = [...this.#threads];
    this.#closing.abort(new IntakeError('SERVICE_UNAVAILABLE', { detail: 'shutting down' }));
    await Promise.all(threads.map((thread) => thread.terminate()));
  }

  async #acquire(stop: AbortSignal): Promise<Worker> {
    stop.throwIfAborted();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.size < this.#options.size) return this.#start();
    const { promise, ...waiter } = Promise.withResolvers<Worker>();
    const giveUp = () => waiter.reject(stop.reason);
    this.#waiters.add(waiter);
    stop.addEventListener('abort', giveUp, { once: true });
    return promise.finally(() => {
      this.#waiters.delete(waiter);
      stop.removeEventListener('abort', giveUp);
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
    // Whoever waits for an answer waits for `message` or `error`.
    thread.once('exit', () => thread.emit('error', new Error('the thread has ended')));
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
