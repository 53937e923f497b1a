/**
 * recordOutcome: how an attempt ended other than complete, and no parse job of it left running at the vendor.
 * Idempotent: an attempt that has ended stays as it is. A row that is gone or belongs to another run is none of ours;
 * one that its owner has ended is said to be.
 */
import { type Attempt, endAttempt } from '../src/db/attempts.ts';
import { failureByOperator, recordCommand } from '../src/db/events.ts';
import { endParseJob, parseJobOfAttempt } from '../src/db/parse-jobs.ts';
import type { Queryable } from '../src/db/pool.ts';
import { type ErrorCode, IntakeError } from '../src/domain/errors.ts';
import { endedBy, isTerminal, stageOf } from '../src/domain/ingestion.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import type { AttemptRef, Outcome, RecordedOutcome } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forgetParseJob } from './forget-parse-job.ts';

export async function recordOutcome(
  dependencies: ActivityDependencies,
  { code, asked, ...ref }: Outcome,
): Promise<RecordedOutcome> {
  return await withAttempt(dependencies, ref, async (scope) => {
    const refusal = await endRow(scope, code, asked);
    await stopParsing(dependencies, ref, scope);
    if (refusal === 'CANCELLED' || refusal === 'DOCUMENT_DELETED') return { endedByOwner: refusal };
    const failedByOperator = refusal && (await failureByOperator(dependencies.pool, ref.attemptId));
    return failedByOperator ? { failedByOperator } : {};
  });
}

const notOurs: ReadonlySet<ErrorCode> = new Set([
  'ATTEMPT_ABSENT',
  'ATTEMPT_SUPERSEDED',
  'CANCELLED',
  'DOCUMENT_DELETED',
]);

/** Why the row was not ours to end, if so. */
async function endRow(
  scope: AttemptScope,
  code: ErrorCode,
  asked: Outcome['asked'],
): Promise<ErrorCode | undefined> {
  try {
    await scope.hold(async (transaction, held) => {
      if (asked && !isTerminal(held.status)) {
        const { id: attemptId, documentId, ownerId } = held;
        const command = {
          documentId,
          ownerId,
          attemptId,
          name: 'fail',
          selfDeclared: true,
        } as const;
        await recordCommand(transaction, { ...command, ...asked });
      }
      await endHeld(transaction, held, code);
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof IntakeError) || !notOurs.has(error.code)) throw error;
    return error.code;
  }
}

/** An attempt that has ended stays as it is. */
export async function endHeld(
  transaction: Queryable,
  { id, status }: Attempt,
  code: ErrorCode,
): Promise<void> {
  if (isTerminal(status)) return;
  await endAttempt(transaction, id, {
    status: endedBy(code, status),
    code,
    failedStage: stageOf[status],
  });
}

/**
 * What this attempt still waits for is stopped and deleted at the vendor; a completed job is kept, since a retry adopts
 * it. Best effort: late words of the job find an ended attempt, and erasure asks again.
 */
async function stopParsing(
  dependencies: ActivityDependencies,
  { attemptId }: AttemptRef,
  { signal }: AttemptScope,
): Promise<void> {
  const { pool, logger } = dependencies;
  const job = await parseJobOfAttempt(pool, attemptId);
  if (!job || job.state === 'completed') return;
  try {
    await forgetParseJob(dependencies, job, signal);
    await endParseJob(pool, job.id, { state: 'cancelled' });
  } catch (error) {
    logger.warn({ err: error, parseJobId: job.id }, 'parse job not yet stopped at the vendor');
  }
}
