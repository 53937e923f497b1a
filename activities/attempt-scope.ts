/**
 * What every activity on an attempt shares: a heartbeat from a ticker, the fence, the cancellation signal, and on
 * failure the reason in the row before the translation to Temporal.
 */
import { activityInfo, Context, cancellationSignal } from '@temporalio/activity';
import {
  type Attempt,
  type Fence,
  hasNotedWait,
  holdAttempt,
  noteWaiting,
  takeOverRun,
  troubledForMs,
} from '../src/db/attempts.ts';
import { recordLostWorker } from '../src/db/events.ts';
import { inTransaction, type Queryable } from '../src/db/pool.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { correlate, inCorrelation, newCorrelation } from '../src/observability/correlation.ts';
import type { AttemptRef } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toFailure, toIntakeError } from './failures.ts';
import { withHeartbeat } from './heartbeat.ts';
import { longestPauseMs, pauseAfter, UNKNOWN_TROUBLE_MS } from './pause.ts';

export interface AttemptScope {
  readonly fence: Fence;
  readonly signal: AbortSignal;
  /** One transaction in which document and attempt are locked and this run is proven to be the one that may write. */
  hold<Result>(
    work: (transaction: Queryable, attempt: Attempt) => Promise<Result>,
  ): Promise<Result>;
  /** A hint for whoever reads heartbeats; what is done is read from rows. */
  report(progress: number): void;
}

export function withAttempt<Result>(
  dependencies: ActivityDependencies,
  ref: AttemptRef,
  work: (scope: AttemptScope) => Promise<Result>,
): Promise<Result> {
  const fence = { documentId: ref.documentId, attemptId: ref.attemptId, runId: runId() };
  const startedAt = performance.now();
  const attempted = () =>
    withHeartbeat(async (report) => {
      const scope: AttemptScope = {
        fence,
        signal: cancellationSignal(),
        hold: (inside) =>
          holdOrTakeOver(dependencies, fence, (transaction, attempt) => {
            correlate(attempt.correlationId);
            return inside(transaction, attempt);
          }),
        report,
      };
      try {
        void noteLostWorker(dependencies, fence);
        const result = await work(scope);
        tellDone(dependencies, fence, performance.now() - startedAt);
        return result;
      } catch (error) {
        throw await explain(dependencies, scope, error);
      }
    });
  // Known from the first hold on.
  return inCorrelation(newCorrelation(), attempted);
}

/** One line per activity that did its work, as the API has one per request. */
function tellDone(
  { logger }: ActivityDependencies,
  { documentId, attemptId }: Fence,
  ms: number,
): void {
  const { activityType: activity, attempt } = activityInfo();
  logger.info(
    { activity, try: attempt, documentId, attemptId, ms: Math.round(ms) },
    'activity done',
  );
}

function runId(): string {
  const { workflowExecution } = activityInfo();
  if (!workflowExecution)
    throw new IntakeError('INTERNAL_ERROR', { detail: 'activity outside of a workflow' });
  return workflowExecution.runId;
}

/** Clocks of the server and of workers may differ by this much; a heartbeat timeout is longer. */
const CLOCK_SLACK_MS = 1_000;

/**
 * A try that failed has said why, and when this one would come; one whose worker died could not, and Temporal knows.
 * Beside the work, which neither waits for this line nor fails by it.
 */
async function noteLostWorker(
  { pool, logger, wasWorkerLost }: ActivityDependencies,
  fence: Fence,
): Promise<void> {
  const { attempt, activityId, currentAttemptScheduledTimestampMs } = activityInfo();
  if (attempt === 1) return;
  try {
    const since = new Date(currentAttemptScheduledTimestampMs - CLOCK_SLACK_MS);
    if (await hasNotedWait(pool, fence, since)) return;
    if (await wasWorkerLost({ ...fence, activityId }))
      await recordLostWorker(pool, fence.attemptId);
  } catch (error) {
    logger.warn({ err: error }, 'the end of the earlier try could not be written down');
  }
}

/** A reset in the Temporal UI gives the attempt a new run: Temporal's own word decides who may take over. */
async function holdOrTakeOver<Result>(
  { pool, openRunId }: ActivityDependencies,
  fence: Fence,
  work: (transaction: Queryable, attempt: Attempt) => Promise<Result>,
): Promise<Result> {
  const hold = () =>
    inTransaction(pool, async (transaction) =>
      work(transaction, await holdAttempt(transaction, fence)),
    );
  try {
    return await hold();
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'ATTEMPT_SUPERSEDED') throw error;
    if ((await openRunId(fence.documentId)) !== fence.runId) throw error;
    await takeOverRun(pool, fence);
    return await hold();
  }
}

/** Logs the failure, says it in the row, and gives back what Temporal is told. */
async function explain(
  { pool, logger }: ActivityDependencies,
  { fence, signal }: AttemptScope,
  error: unknown,
): Promise<Error> {
  const reason = signal.aborted ? await cancelled() : undefined;
  if (reason !== undefined && reason.message !== WORKER_SHUTDOWN) return reason;
  const translated = reason === undefined ? toIntakeError(error) : handover();
  const { activityType, attempt } = activityInfo();
  logger.warn(
    {
      err: translated,
      activity: activityType,
      try: attempt,
      documentId: fence.documentId,
      attemptId: fence.attemptId,
    },
    'activity failed',
  );
  // A handover is no reason to tell anybody; of one by silence the later try has told.
  if (translated.code === 'WORKER_STOPPING' || translated.code === 'WORKER_LOST')
    return toFailure(translated);
  try {
    const pauseMs = pauseFor(translated, await troubledForMs(pool, fence, translated.code));
    await noteWaiting(pool, fence, {
      code: translated.code,
      detail: translated.detail,
      nextTryAt: nextTryAt(translated, pauseMs),
      deadlineAt: patienceEndsAt(),
    });
    return toFailure(translated, { pauseMs });
  } catch (noteError) {
    logger.warn({ err: noteError }, 'the reason could not be written down');
    return toFailure(translated, { pauseMs: pauseFor(translated, UNKNOWN_TROUBLE_MS) });
  }
}

/** What the other side said, or by how long this trouble has lasted; `undefined` where the policy counts tries. */
function pauseFor(error: IntakeError, troubleMs: number): number | undefined {
  const longestMs = longestPauseMs();
  if (error.retryAfterMs !== undefined || longestMs === undefined) return error.retryAfterMs;
  return pauseAfter(troubleMs, longestMs);
}

/** The SDK's word for the end of the time that a stopping worker gives to work in hand. */
const WORKER_SHUTDOWN = 'WORKER_SHUTDOWN';

/** Another worker takes over at once; one that has just been restarted, as soon as it polls. */
const HANDOVER_MS = 100;

/** What a stopping worker says of work that it leaves to another. */
export function handover(): IntakeError {
  return new IntakeError('WORKER_STOPPING', { retryAfterMs: HANDOVER_MS });
}

/** The reason of a cancellation, as the SDK wants it thrown. */
async function cancelled(): Promise<Error> {
  return await Context.current().cancelled.catch((reason: Error) => reason);
}

/** When Temporal will try again by the policy of this activity; `undefined` when it will not. */
function nextTryAt(error: IntakeError, pauseMs: number | undefined): Date | undefined {
  const { retryPolicy, attempt } = activityInfo();
  if (!error.retryable || attempt === retryPolicy?.maximumAttempts) return undefined;
  if (retryPolicy?.nonRetryableErrorTypes?.includes(error.code)) return undefined;
  const initialMs = Number(retryPolicy?.initialInterval ?? 1000);
  const growth = (retryPolicy?.backoffCoefficient ?? 2) ** (attempt - 1);
  const delayMs = Math.min(
    initialMs * growth,
    Number(retryPolicy?.maximumInterval ?? initialMs * 100),
  );
  return new Date(Date.now() + (pauseMs ?? delayMs));
}

/** The stage's own deadline; `undefined` where only tries are counted. */
function patienceEndsAt(): Date | undefined {
  const { scheduledTimestampMs, scheduleToCloseTimeoutMs } = activityInfo();
  return scheduleToCloseTimeoutMs > 0
    ? new Date(scheduledTimestampMs + scheduleToCloseTimeoutMs)
    : undefined;
}
