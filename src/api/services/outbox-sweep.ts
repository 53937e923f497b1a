/**
 * The outbox sweep: starts what was committed and never started, stops what was ended and never told, starts lost
 * erasures. Every API process runs it; doubled work is harmless, since Temporal and the stamps decide.
 */
import {
  markStopSent,
  stampErasure,
  unstartedAttempts,
  unstartedErasures,
  unstoppedAttempts,
} from '../../db/outbox.ts';
import type { Pool } from '../../db/pool.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Runs } from '../../temporal/runs.ts';
import { startAttempt } from './start-attempt.ts';

/** Younger rows are still in the hands of the request that made them. */
const OLDER_THAN_MS = 2_000;
const SWEEP_EVERY_MS = 5_000;

interface SweepDependencies {
  readonly pool: Pool;
  readonly runs: Runs;
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
export async function sweepOutbox({ pool, runs, logger }: SweepDependencies): Promise<void> {
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      logger.warn({ err: error }, `outbox sweep: ${what} failed, next round tries again`);
    }
  };
  await attempt('starting attempts', async () => {
    for (const lost of await unstartedAttempts(pool, OLDER_THAN_MS)) {
      await attempt('starting an attempt', async () => {
        const started = await startAttempt(pool, runs, lost);
        if (started)
          logger.info(
            { documentId: lost.documentId, attemptId: lost.attemptId },
            'lost start made good',
          );
      });
    }
  });
  await attempt('stopping runs', async () => {
    for (const { documentId, attemptId } of await unstoppedAttempts(pool, OLDER_THAN_MS)) {
      await attempt('stopping a run', async () => {
        await runs.stop(documentId);
        await markStopSent(pool, attemptId);
      });
    }
  });
  await attempt('starting erasures', async () => {
    for (const documentId of await unstartedErasures(pool, OLDER_THAN_MS)) {
      await attempt('starting an erasure', async () => {
        await stampErasure(pool, documentId, await runs.erase(documentId));
      });
    }
  });
}
