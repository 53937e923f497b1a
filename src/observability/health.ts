/** Liveness and readiness as checks by name, each given up at its deadline. Names are for everybody, reasons for the log. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { IntakeError } from '../domain/errors.ts';
import type { Logger } from './logger.ts';

export interface HealthCheck {
  readonly name: string;
  /** Rejects when it is not well. */
  readonly check: (signal: AbortSignal) => Promise<void>;
}

const CHECK_DEADLINE_MS = 2_000;

/** The names of those that are not well. */
export async function failingChecks(
  checks: readonly HealthCheck[],
  logger: Pick<Logger, 'warn'>,
): Promise<string[]> {
  const results = await Promise.allSettled(checks.map(withinDeadline));
  return checks.flatMap(({ name }, index) => {
    const result = results[index];
    if (result?.status !== 'rejected') return [];
    logger.warn({ err: result.reason, check: name }, 'not well');
    return [name];
  });
}

/** A check that does not heed its signal is given up all the same. */
async function withinDeadline({ check }: HealthCheck): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_DEADLINE_MS);
  const deadline = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([check(signal), deadline]);
}

const EVENT_LOOP_RESOLUTION_MS = 20;

/**
 * Half of all turns since the last look took longer than `limitMs`: heartbeats no longer leave in time, and only a new
 * process helps. One long turn alone is no reason.
 */
export function eventLoopCheck(limitMs = 1_000): HealthCheck {
  const turns = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  turns.enable();
  return {
    name: 'event loop',
    check: async () => {
      const medianMs = turns.percentile(50) / 1e6;
      turns.reset();
      if (medianMs > limitMs) throw unwell(`half of all turns take ${Math.round(medianMs)} ms`);
    },
  };
}

/** Nothing new is to be sent to a process that stops. */
export function stoppingCheck(stopping: AbortSignal): HealthCheck {
  return {
    name: 'stopping',
    check: async () => {
      if (stopping.aborted) throw unwell('a stop signal has come');
    },
  };
}

export function unwell(detail: string): IntakeError {
  return new IntakeError('SERVICE_UNAVAILABLE', { detail });
}
