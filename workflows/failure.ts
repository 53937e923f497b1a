/** What a failed activity means, in our closed codes. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { type ErrorCode, errorCodes, isErrorCode } from '../src/domain/errors.ts';

/** Our code behind an activity's failure; `undefined` for a timeout, which says nothing of its reason. */
export function failureCode(error: unknown): ErrorCode | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return undefined;
  if (
    cause instanceof ApplicationFailure &&
    typeof cause.type === 'string' &&
    isErrorCode(cause.type)
  ) {
    return cause.type;
  }
  return 'INTERNAL_ERROR';
}

/** No try can mend it, whatever its name: a newer worker may know codes that this list has not. */
export function isFinal(error: ActivityFailure): boolean {
  return error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true;
}

/** A terminal failure of the run: its type is the code, its message the sentence for the person. */
export function failWith(code: ErrorCode): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(errorCodes[code].message, code);
  failure.stack = ''; // it names files of ours and says nothing to an operator
  return failure;
}

/**
 * Runs a stage that waits patiently. When the patience is over, the last retryable failure (or a timeout)
 * becomes the stage's own named end.
 */
export async function orOutOfPatience<Result>(
  stage: Promise<Result>,
  endOf: (code: ErrorCode | undefined) => ErrorCode,
): Promise<Result> {
  try {
    return await stage;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancelled(error) || isFinal(error)) throw error;
    throw failWith(endOf(failureCode(error)));
  }
}

function isCancelled(error: ActivityFailure): boolean {
  return error.cause?.name === 'CancelledFailure';
}
