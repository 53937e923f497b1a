/**
 * The outbox sweep: starts what was committed and never started, confirms and stops what was never told, starts lost
 * erasures, removes objects that are done with. Every API process runs it; doubled work is harmless, since Temporal and the stamps decide.
 */
import { markSwept, unsweptObjects } from '../../db/objects.ts';
import {
  markStopSent,
  stampErasure,
  unsentConfirms,
  unstartedAttempts,
  unstartedErasures,
  unstoppedAttempts,
} from '../../db/outbox.ts';
import type { Pool } from '../../db/pool.ts';
import { correlate, inCorrelation, newCorrelation } from '../../observability/correlation.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Runs } from '../../temporal/runs.ts';
import { startAttempt, tellConfirm } from './start-attempt.ts';

/** Younger rows are still in the hands of the request that made them. */
const OLDER_THAN_MS = 2_000;
const SWEEP_EVERY_MS = 5_000;
/** A start that was under way when its attempt was ended has landed, or never will. */
const START_MAY_BE_UNDER_WAY_MS = 5 * 60_000;

/** Storage that is down must not keep the round from its end. */
const ONE_BY_ONE_MS = 15_000;

interface SweepDependencies {
  readonly pool: Pool;
  readonly runs: Runs;
  readonly objectStore: ObjectStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Sweeper {
  stop(): Promise<void>;
}

export function startOutboxSweep(dependencies: SweepDependencies): Sweeper {
  let stopped = false;
  let wake = () => {};
  const loop = async () => {
    while (!stopped) {
      await sweepOutbox(dependencies);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SWEEP_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stopped) wake();
      });
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
  };
}

interface Chore<Item> {
  readonly name: string;
  find(): Promise<readonly Item[]>;
  work(item: Item): Promise<void>;
}

/** One round. A fault ends neither the round nor the sweep: the next round tries again. */
export async function sweepOutbox({
  pool,
  runs,
  objectStore,
  logger,
  metrics,
}: SweepDependencies): Promise<void> {
  await perform(logger, {
    name: 'start',
    find: () => unstartedAttempts(pool, OLDER_THAN_MS),
    work: async (lost) => {
      correlate(lost.correlationId);
      if (!(await startAttempt(pool, runs, lost))) return;
      const { documentId, attemptId } = lost;
      logger.info({ documentId, attemptId }, 'lost start made good');
      metrics.count('intake_races_total', { kind: 'start_lost' });
    },
  });
  await perform(logger, {
    name: 'confirm',
    find: () => unsentConfirms(pool, OLDER_THAN_MS),
    work: async (unsent) => {
      correlate(unsent.correlationId);
      await tellConfirm(pool, runs, unsent);
    },
  });
  await perform(logger, {
    name: 'stop',
    find: () => unstoppedAttempts(pool, OLDER_THAN_MS),
    work: async (attempt) => {
      const old = Date.now() - attempt.endedAt.getTime() > START_MAY_BE_UNDER_WAY_MS;
      if ((await runs.stop(attempt)) || old) await markStopSent(pool, attempt.attemptId);
    },
  });
  await perform(logger, {
    name: 'erase',
    find: () => unstartedErasures(pool, OLDER_THAN_MS),
    work: async (documentId) => stampErasure(pool, documentId, await runs.erase(documentId)),
  });
  await perform(logger, {
    name: 'remove objects',
    // One batch. An upload URL may have brought an object back until it expired.
    find: async () => [await unsweptObjects(pool, 100)].filter((keys) => keys.length > 0),
    work: async (keys) => {
      const remove = async (some: readonly string[], signal?: AbortSignal) => {
        await objectStore.remove(some, signal);
        await markSwept(pool, some);
      };
      await remove(keys).catch(() => oneByOne(keys, (key, signal) => remove([key], signal)));
    },
  });
}

/** What fails keeps nothing else from its turn; the first failure is told when all had theirs. */
async function oneByOne<Item>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(ONE_BY_ONE_MS);
  const failures: unknown[] = [];
  for (const item of items) {
    if (!signal.aborted) await work(item, signal).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function perform<Item>(logger: Logger, { name, find, work }: Chore<Item>): Promise<void> {
  const failed = (error: unknown) => {
    logger.warn({ err: error, chore: name }, 'outbox sweep: failed, the next round tries again');
  };
  try {
    for (const item of await find()) {
      await inCorrelation(newCorrelation(), () => work(item)).catch(failed);
    }
  } catch (error) {
    failed(error);
  }
}
