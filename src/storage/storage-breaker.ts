/**
 * Circuit breaker round blob reads. Storage that is down or refuses us counts; an absent object or a caller's
 * own limit does not, since storage answered. While open, calls fail at once and say when to come back.
 */
import { CircuitState, circuitBreaker, handleWhen } from 'cockatiel';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import type { ObjectStore } from './object-store.ts';
import { SlidingWindowBreaker } from './sliding-window-breaker.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  readonly maxFailures?: number;
  readonly windowMs?: number;
  readonly halfOpenAfterMs?: number;
  /** Called on each transition; a breaker starts closed. */
  readonly onStateChange?: (state: BreakerState) => void;
}

/** Guards `stat`, `read` and `copy` of a store. */
export function withBreaker(store: ObjectStore, options: BreakerOptions = {}): ObjectStore {
  const circuit = createCircuit(options);
  return {
    signUpload: (key, signal) => store.signUpload(key, signal),
    put: (key, body, putOptions) => store.put(key, body, putOptions),
    list: (prefix, signal) => store.list(prefix, signal),
    entries: (prefix, signal) => store.entries(prefix, signal),
    remove: (keys, signal) => store.remove(keys, signal),
    stat: (key, signal) => circuit.run(() => store.stat(key, signal)),
    copy: (fromKey, toKey, signal) => circuit.run(() => store.copy(fromKey, toKey, signal)),
    async read(key, readOptions) {
      const body = await circuit.run(() => store.read(key, readOptions));
      return body.once('error', (error) => circuit.countFailure(error));
    },
  };
}

interface Circuit {
  run<Result>(call: () => Promise<Result>): Promise<Result>;
  /** For a body that was cut short after its call had succeeded. */
  countFailure(error: Error): void;
}

/** How soon to come back while the one probe is under way. */
const PROBE_RETRY_MS = 1_000;

function createCircuit(options: BreakerOptions): Circuit {
  const { maxFailures = 5, windowMs = 60_000, halfOpenAfterMs = 60_000 } = options;
  let openedAt = 0;
  /** What storage failed with last: the reason of an open circuit. */
  let fault: ErrorCode | undefined;
  const noteFault = (error: unknown) => {
    if (storageFailed(error)) fault = error.code;
  };
  const policy = circuitBreaker(
    // A probe whose caller gave up proves nothing, so it must not close the circuit.
    handleWhen((error) =>
      policy.state === CircuitState.HalfOpen ? !storageAnswered(error) : storageFailed(error),
    ),
    {
      halfOpenAfter: halfOpenAfterMs,
      breaker: new SlidingWindowBreaker({ maxFailures, windowMs }),
    },
  );
  policy.onStateChange((state) => {
    if (state === CircuitState.Open) openedAt = Date.now();
    options.onStateChange?.(stateName(state));
  });

  return {
    async run(call) {
      const openForMs = openedAt + halfOpenAfterMs - Date.now();
      if (policy.state === CircuitState.Open && openForMs > 0) throw circuitOpen(openForMs, fault);
      // cockatiel would let the others wait for the probe's end.
      if (policy.state === CircuitState.HalfOpen) throw circuitOpen(PROBE_RETRY_MS, fault);
      try {
        return await policy.execute(call);
      } catch (error) {
        noteFault(error);
        throw error;
      }
    },
    countFailure(error) {
      noteFault(error);
      if (policy.state !== CircuitState.Closed) return;
      // The reader has the error already; here it is only counted.
      policy.execute(() => Promise.reject(error)).catch(() => undefined);
    },
  };
}

function circuitOpen(retryAfterMs: number, behind: ErrorCode | undefined): IntakeError {
  const detail = behind && `opened by ${behind}`;
  return new IntakeError('FILE_ACCESS_CIRCUIT_BREAKER_OPEN', {
    retryAfterMs,
    behind,
    ...(detail && { detail }),
  });
}

function storageFailed(error: unknown): error is IntakeError {
  return (
    error instanceof IntakeError &&
    (error.code === 'STORAGE_UNAVAILABLE' || error.code === 'STORAGE_FORBIDDEN')
  );
}

function storageAnswered(error: unknown): boolean {
  return error instanceof IntakeError && !storageFailed(error);
}

function stateName(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
