/**
 * Every outward call runs within its provider's budget, which all workers share. It waits for its turn here while
 * that is near; what is farther off is a retryable failure that says when to come back. A call refused with 429 pauses
 * everybody and is then made again: it was no attempt.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import { createPermits } from './permits.ts';

/** `call` may be made more than once, each time after a refusal that had no effect. */
export type WithinBudget = <Result>(
  call: () => Promise<Result>,
  signal: AbortSignal,
) => Promise<Result>;

export interface Rate {
  readonly callsPerSecond: number;
  /** Calls that may be made at once after a quiet time. */
  readonly burst: number;
}

export interface BudgetLimits extends Rate {
  /** Calls under way at once, of this process. */
  readonly atOnce: number;
  /** How the provider's 429 reads in our codes. */
  readonly refusedAs: ErrorCode;
}

/** A turn that is not granted was not taken. */
export interface Turn {
  readonly granted: boolean;
  readonly waitMs: number;
}

export interface BudgetStore {
  /** Takes the next turn unless it is farther off than `maxWaitMs`. */
  takeTurn(rate: Rate & { readonly maxWaitMs: number }): Promise<Turn>;
  /** No call of anybody's for so long; of two pauses the one that ends later counts. */
  pause(ms: number): Promise<void>;
}

/** How long a call waits in the process before it makes room for others: a few seconds of it, and no slot is left for anything else. */
const WAIT_HERE_MS = 1_000;

/** After a 429 that does not say when to come back: LlamaParse documents no Retry-After. */
const UNTOLD_PAUSE_MS = 3_000;
const SHORTEST_PAUSE_MS = 100;

export function createProviderBudget(store: BudgetStore, limits: BudgetLimits): WithinBudget {
  const permits = createPermits(limits.atOnce);
  // A turn taken before a pause is none any more.
  let pauses = 0;

  async function awaitTurn(signal: AbortSignal, until: number, refusal?: IntakeError) {
    for (let seen = -1; seen !== pauses; ) {
      seen = pauses;
      const maxWaitMs = Math.max(0, until - Date.now());
      const { granted, waitMs } = await store.takeTurn({ ...limits, maxWaitMs });
      if (!granted) throw tooFarOff(limits.refusedAs, waitMs, refusal);
      await waitFor(waitMs, signal);
    }
  }

  async function makeCall<Result>(
    call: () => Promise<Result>,
    { until, signal }: { readonly until: number; readonly signal: AbortSignal },
  ) {
    let refusal: IntakeError | undefined;
    for (;;) {
      await awaitTurn(signal, until, refusal);
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof IntakeError) || error.code !== limits.refusedAs) throw error;
        refusal = error;
        pauses += 1;
        await store.pause(Math.max(SHORTEST_PAUSE_MS, error.retryAfterMs ?? UNTOLD_PAUSE_MS));
      }
    }
  }

  return (call, signal) => {
    const until = Date.now() + WAIT_HERE_MS;
    return permits.use(() => makeCall(call, { until, signal }), signal);
  };
}

const JITTER = 0.25;

/** Those who come back do so one after the other. */
function tooFarOff(code: ErrorCode, waitMs: number, refusal: IntakeError | undefined): IntakeError {
  return new IntakeError(code, {
    detail: refusal?.detail ?? 'the budget of all workers is used up for the moment',
    retryAfterMs: Math.ceil(waitMs * (1 + JITTER * Math.random())),
    cause: refusal,
  });
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
