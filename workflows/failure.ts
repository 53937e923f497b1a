/** What a failed activity means, in our closed codes. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { type ErrorCode, errorCodes, isErrorCode } from '../src/domain/errors.ts';
import type { LastWords } from '../src/domain/run.ts';

/** Our code behind an activity's failure; `undefined` for a timeout, which says nothing of its reason. */
export function failureCode(error: unknown): ErrorCode | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return undefined;
  return codeOf(cause) ?? 'INTERNAL_ERROR';
}

/** No try can mend it, whatever its name: a newer worker may know codes that this list has not. */
export function isFinal(error: ActivityFailure): boolean {
  return error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true;
}

/** A terminal failure of the run: its type is the code, its message the sentence for the person. */
export function failWith(code: ErrorCode, words?: Partial<LastWords>): ApplicationFailure {
  const { message } = errorCodes[code];
  const failure = ApplicationFailure.nonRetryable(message, code, ...(words ? [words] : []));
  failure.stack = ''; // it names files of ours and says nothing to an operator
  return failure;
}

/** What `failWith` was told of the cause. */
export function causeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof ApplicationFailure)) return undefined;
  const words = error.details?.[0] as Partial<LastWords> | undefined;
  return words?.cause;
}

interface Patience {
  readonly ms: number;
  /** The later of the planned end and what an operator has made of it. */
  endsAtMs(plannedAtMs: number): number;
}

/**
 * Runs a stage that waits patiently. When the patience is over, and no operator has extended it, the last retryable
 * failure (or a timeout) becomes the stage's own named end.
 */
export async function orOutOfPatience<Result>(
  patience: Patience,
  stage: (patienceMs: number) => Promise<Result>,
  endOf: (code: ErrorCode | undefined) => ErrorCode,
): Promise<Result> {
  let untilMs = Date.now() + patience.ms;
  for (let leftMs = patience.ms; ; leftMs = untilMs - Date.now()) {
    try {
      return await stage(leftMs);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancelled(error) || isFinal(error)) throw error;
      const extendedMs = patience.endsAtMs(untilMs);
      const isExtended = extendedMs > untilMs && extendedMs > Date.now();
      if (!isExtended || error.retryState !== 'TIMEOUT') {
        throw failWith(endOf(failureCode(error)), { cause: causeBehind(error) });
      }
      untilMs = extendedMs;
    }
  }
}

/** What kept failing: behind an open breaker, before the try that timed out. */
function causeBehind({ cause }: ActivityFailure): ErrorCode | undefined {
  const failure = cause instanceof TimeoutFailure ? cause.cause : cause;
  const details = failure instanceof ApplicationFailure ? failure.details?.[0] : undefined;
  const { behind } = (details ?? {}) as { behind?: unknown };
  return typeof behind === 'string' && isErrorCode(behind) ? behind : codeOf(failure);
}

function codeOf(failure: unknown): ErrorCode | undefined {
  const type = failure instanceof ApplicationFailure ? failure.type : undefined;
  return typeof type === 'string' && isErrorCode(type) ? type : undefined;
}

function isCancelled(error: ActivityFailure): boolean {
  return error.cause?.name === 'CancelledFailure';
}
