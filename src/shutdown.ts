/** Ordered stop: each phase has a limit, a second signal exits at once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from './observability/logger.ts';

export interface Phase {
  readonly name: string;
  readonly limitMs: number;
  readonly run: () => Promise<void>;
}

/** Runs `phases` in order on the first SIGTERM, SIGINT or SIGHUP, then exits with 0, or with 1 when a phase failed or ran over. */
export function onStopSignal(logger: Logger, phases: readonly Phase[]): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) {
      logger.warn({ signal }, 'second signal: exiting at once');
      process.exit(1);
    }
    stopping = true;
    void runPhases(logger, phases).then((clean) => process.exit(clean ? 0 : 1));
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
}

async function runPhases(logger: Logger, phases: readonly Phase[]): Promise<boolean> {
  let clean = true;
  for (const { name, limitMs, run } of phases) {
    const limit = new AbortController();
    try {
      const outcome = await Promise.race([
        run().then(() => 'done' as const),
        delay(limitMs, 'late' as const, { signal: limit.signal, ref: false }),
      ]);
      logger.info({ phase: name, outcome }, 'stopping');
      clean &&= outcome === 'done';
    } catch (error) {
      logger.error({ err: error, phase: name }, 'stopping failed');
      clean = false;
    } finally {
      limit.abort();
    }
  }
  return clean;
}
