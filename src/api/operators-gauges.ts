/** What operators ask of the whole and no process knows by itself: one cheap look at rows and task queue, kept some seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { unfinishedDocuments } from '../db/measurements.ts';
import type { Pool } from '../db/pool.ts';
import { IntakeError } from '../domain/errors.ts';
import { isTerminal, statuses } from '../domain/ingestion.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TaskQueueState } from '../temporal/task-queue.ts';

interface Sources {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly pool: Pool;
  readonly taskQueue: () => Promise<readonly TaskQueueState[]>;
}

const KEPT_MS = 5_000;
/** Less than a scrape may take. */
const ANSWER_DEADLINE_MS = 4_000;

/** Brings the gauges up to date. What cannot be asked is absent from the answer, since an old number would lie. */
export function gaugesOf(sources: Sources): () => Promise<void> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer = Promise.resolve();
  return () => {
    if (performance.now() - askedAt > KEPT_MS) {
      askedAt = performance.now();
      answer = ask(sources);
    }
    return answer;
  };
}

async function ask({ metrics, logger, pool, taskQueue }: Sources): Promise<void> {
  await Promise.all([
    from('database', () => readDocuments(metrics, pool)),
    from('temporal', () => readTaskQueue(metrics, taskQueue)),
  ]);

  async function from(source: keyof typeof gauges, read: () => Promise<void>): Promise<void> {
    const late = new AbortController();
    try {
      await Promise.race([read(), tooLate(late.signal)]);
    } catch (error) {
      clear(metrics, source);
      logger.warn({ err: error, source }, 'metrics: not answered');
      metrics.count('intake_scrape_errors_total', { source });
    } finally {
      late.abort();
    }
  }
}

const gauges = {
  database: ['intake_documents', 'intake_documents_oldest_age_seconds'],
  temporal: ['intake_task_queue_pollers', 'intake_task_queue_backlog'],
} as const;

function clear(metrics: Metrics, source: keyof typeof gauges): void {
  for (const gauge of gauges[source]) metrics.clear(gauge);
}

async function readDocuments(metrics: Metrics, pool: Pool): Promise<void> {
  const documents = await unfinishedDocuments(pool);
  clear(metrics, 'database');
  for (const status of statuses) {
    if (isTerminal(status)) continue;
    const own = documents.filter((row) => row.status === status);
    // A status that is empty is said to be.
    metrics.set('intake_documents', { status, waiting_for: 'nothing' }, 0);
    for (const { waitingFor = 'nothing', count } of own) {
      metrics.set('intake_documents', { status, waiting_for: waitingFor }, count);
    }
    const oldest = Math.max(0, ...own.map(({ ageSeconds }) => ageSeconds));
    metrics.set('intake_documents_oldest_age_seconds', { status }, oldest);
  }
}

async function readTaskQueue(metrics: Metrics, taskQueue: Sources['taskQueue']): Promise<void> {
  for (const { taskType, pollers, backlog } of await taskQueue()) {
    metrics.set('intake_task_queue_pollers', { task_type: taskType }, pollers);
    metrics.set('intake_task_queue_backlog', { task_type: taskType }, backlog);
  }
}

async function tooLate(signal: AbortSignal): Promise<never> {
  await delay(ANSWER_DEADLINE_MS, undefined, { signal, ref: false });
  throw new IntakeError('SERVICE_UNAVAILABLE', { detail: 'no answer in time' });
}
