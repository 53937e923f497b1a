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
import type { Logger } from '../../observability/logger.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Runs } from '../../temporal/runs.ts';
import { startAttempt, tellConfirm } from './start-attempt.ts';

/** Younger rows are still in the hands of the request that made them. */
const OLDER_THAN_MS = 2_000;
const SWEEP_EVERY_MS = 5_000;
/** A start that was under way when its attempt was ended has landed, or never will. */
const START_MAY_BE_UNDER_WAY_MS = 5 * 60_000;

interface SweepDependencies {
  readonly pool: Pool;
  readonly runs: Runs;
  readonly objectStore: ObjectStore;
  readonly logger: Logger;
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

/** One round. A fault ends neither the round nor the sweep: the next round tries again. */
export async function sweepOutbox(dependencies: SweepDependencies): Promise<void> {
  const { pool, runs, objectStore, logger } = dependencies;
  await each(dependencies, 'start', await list(unstartedAttempts), async (lost) => {
    if (!(await startAttempt(pool, runs, lost))) return;
    logger.info({ documentId: lost.documentId, attemptId: lost.attemptId }, 'lost start made good');
  });
  await each(dependencies, 'confirm', await list(unsentConfirms), ({ attemptId }) =>
    tellConfirm(pool, runs, attemptId),
  );
  await each(dependencies, 'stop', await list(unstoppedAttempts), async (attempt) => {
    const old = Date.now() - attempt.endedAt.getTime() > START_MAY_BE_UNDER_WAY_MS;
    if ((await runs.stop(attempt)) || old) await markStopSent(pool, attempt.attemptId);
  });
  await each(dependencies, 'erasure', await list(unstartedErasures), async (documentId) => {
    await stampErasure(pool, documentId, await runs.erase(documentId));
  });
  await each(dependencies, 'objects', await list(unsweptKeys), async (keys) => {
    await objectStore.remove(keys);
    await markSwept(pool, keys);
  });

  async function list<Item>(
    find: (q: Pool, olderThanMs: number) => Promise<readonly Item[]>,
  ): Promise<readonly Item[]> {
    return await find(pool, OLDER_THAN_MS).catch((error: unknown) => {
      logger.warn({ err: error }, 'outbox sweep: the rows could not be read');
      return [];
    });
  }
}

/** Objects that are done with, as one batch: an upload URL may have brought one back until it expired. */
async function unsweptKeys(pool: Pool): Promise<readonly (readonly string[])[]> {
  const keys = await unsweptObjects(pool, 100);
  return keys.length === 0 ? [] : [keys];
}

async function each<Item>(
  { logger }: SweepDependencies,
  what: string,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (const item of items) {
    await work(item).catch((error: unknown) => {
      logger.warn({ err: error, what }, 'outbox sweep: failed, the next round tries again');
    });
  }
}
