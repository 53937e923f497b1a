/**
 * Warm worker threads for CPU-bound work, one job each at a time. A job that is aborted or runs over its
 * deadline loses its thread, which is killed; jobs that wait for a thread do not use up their time.
 */
import { type ResourceLimits, Worker } from 'node:worker_threads';

export interface ThreadPoolOptions {
  /** Answers every message by exactly one `ThreadAnswer`. */
  readonly script: URL;
  /** Most threads; each is started when it is first needed. */
  readonly size: number;
  readonly workerData: unknown;
  readonly resourceLimits?: ResourceLimits;
}

export type ThreadAnswer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: unknown };

export interface JobOptions {
  readonly deadlineMs: number;
  /** An abort rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

export class ThreadDeadlineError extends Error {
  override readonly name = 'ThreadDeadlineError';
}

export class ThreadPool<Job, Result> {
  readonly #options: ThreadPoolOptions;
  readonly #idle: Worker[] = [];
  readonly #threads = new Set<Worker>();
  /** Called with each thread that becomes free. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  async run(job: Job, { deadlineMs, signal }: JobOptions): Promise<Result> {
    await this.#turn(signal);
    const thread = this.#idle.pop() ?? this.#start();
  }
}
