/**
 * The one translation from our errors to Temporal's. A failure carries its code and the sentence for the person:
 * no cause, no stack, nothing of a document.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { databaseError } from '../src/db/pool.ts';
import { IntakeError } from '../src/domain/errors.ts';

/** Every error that an activity meets, as one of our codes. */
export function toIntakeError(error: unknown): IntakeError {
  const translated = databaseError(error);
  return translated instanceof IntakeError
    ? translated
    : new IntakeError('INTERNAL_ERROR', { cause: translated });
}

interface FailureOptions {
  /** Only where an activity must never give up by a code of its own. */
  readonly retryable?: boolean;
  /** Until the next try; without it the policy decides. */
  readonly pauseMs?: number | undefined;
}

export function toFailure(
  error: IntakeError,
  { retryable = error.retryable, pauseMs = error.retryAfterMs }: FailureOptions = {},
): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !retryable,
    // A handover is no fault: it counts in no metric of failures.
    ...(error.code === 'WORKER_STOPPING' ? { category: ApplicationFailureCategory.BENIGN } : {}),
    ...(error.behind && { details: [{ behind: error.behind }] }),
    // A delay of 0 would mean to the server that there is no next try.
    ...(pauseMs === undefined ? {} : { nextRetryDelay: Math.max(pauseMs, 1) }),
  });
  // A stack names files of ours and says nothing to an operator; the log has it under the same correlation id.
  failure.stack = '';
  return failure;
}
