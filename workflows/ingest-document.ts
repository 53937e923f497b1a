/**
 * The life of a document, top to bottom: wait for the bytes and verify them, have them parsed, collect and chunk,
 * embed and prove, go live. One run per attempt, workflow id `ingest/<documentId>`.
 */
import {
  type ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AttemptRef } from '../activities/contract.ts';
import type { ErrorCode } from '../src/domain/errors.ts';
import type { FailRequest } from '../src/domain/operators.ts';
import type { IngestInput, IngestResult, LastWords } from '../src/domain/run.ts';
import { ingestActivities } from './activity-options.ts';
import { parseDocument } from './await-parse.ts';
import { awaitUpload } from './await-upload.ts';
import { openDeadlines } from './deadlines.ts';
import { causeOf, failureCode, failWith, orOutOfPatience } from './failure.ts';
import { openInbox } from './messages.ts';
import { type OperatorsDesk, openDesk } from './operators-desk.ts';
import { failureKind, parseJobId as parseJobIdKey, phase } from './search-attributes.ts';
import { openStory } from './story.ts';
import type { Tools } from './tools.ts';

export async function ingestDocument(input: IngestInput): Promise<IngestResult> {
  const { documentId, attemptId, policy } = input;
  const ref: AttemptRef = { documentId, attemptId };
  const deadlines = openDeadlines();
  const tools: Tools = {
    activities: ingestActivities(policy),
    inbox: openInbox(deadlines),
    story: openStory(),
    deadlines,
  };
  const road = new CancellationScope();
  const desk = openDesk(ref, road, tools);
  try {
    const result = await road.run(() => takeRoad(ref, input, tools));
    desk.close('complete');
    return result;
  } catch (error) {
    return await end(ref, error, { ...tools, desk });
  } finally {
    if (!allHandlersFinished()) {
      await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
  }
}

async function takeRoad(
  ref: AttemptRef,
  { startStage, policy }: IngestInput,
  tools: Tools,
): Promise<IngestResult> {
  const { activities, story, deadlines } = tools;
  if (startStage === 'verify') await awaitUpload(ref, policy, tools);
  let pages = 0;
  if (startStage !== 'embed') {
    const stored = await parseDocument(ref, policy, {
      ...tools,
      fromStored: startStage === 'collect',
      onSubmitted: (job) =>
        upsertSearchAttributes([phase('parsing'), { key: parseJobIdKey, value: job }]),
    });
    pages = stored.pages;
  }
  const ms = policy.embedderPatienceMs;
  story.tell('embed', { deadlineAtMs: Date.now() + ms });
  upsertSearchAttributes([phase('embedding')]);
  const { chunks } = await orOutOfPatience(
    { ms, endsAtMs: (plannedAtMs) => deadlines.of('embedder', plannedAtMs) },
    (patienceMs) => activities.embed(ref, patienceMs),
    (code) => (code === 'ATTEMPT_ABSENT' ? code : 'EMBEDDING_OUT_OF_PATIENCE'),
  );
  story.tell('complete');
  upsertSearchAttributes([phase('complete')]);
  return { outcome: 'complete', pages, chunks };
}

type Closing = Pick<Tools, 'activities' | 'story'> & { readonly desk: OperatorsDesk };

/**
 * Closes the run as its outcome asks: superseded completes, cancelled and deleted are canceled, the rest fails. The
 * outcome is written whatever else is asked of the run: a cancel may meet an activity that fails by itself.
 */
async function end(ref: AttemptRef, error: unknown, closing: Closing): Promise<IngestResult> {
  const { activities, desk } = closing;
  const { code, cancelled, asked } = verdictOn(error, desk);
  if (code === 'ATTEMPT_SUPERSEDED') {
    desk.close(code);
    return { outcome: 'superseded' };
  }
  if (!cancelled && isOfTheRow(code)) return await awaitCancel(ref, code, closing);
  const recorded = await CancellationScope.nonCancellable(() =>
    activities.recordOutcome({ ...ref, code, ...(asked && { asked }) }),
  );
  // Whoever was faster in the row has its word: the operator whom no update could bring here, the owner.
  const failedBy = recorded?.failedByOperator;
  if (failedBy) throw failure('FAILED_BY_OPERATOR', failedBy, closing);
  if (cancelled) {
    desk.close(code);
    throw isCancellation(error) ? error : new CancelledFailure('cancelled');
  }
  if (recorded?.endedByOwner) return await awaitCancel(ref, recorded.endedByOwner, closing);
  throw failure(code, { ...asked, cause: causeOf(error) }, closing);
}

interface Verdict {
  readonly code: ErrorCode;
  /** By Temporal's own cancel. */
  readonly cancelled: boolean;
  /** The operator who failed it. */
  readonly asked?: FailRequest | undefined;
}

function verdictOn(error: unknown, desk: OperatorsDesk): Verdict {
  const asked = desk.failedBy();
  const stopped = isCancellation(error);
  if (CancellationScope.current().consideredCancelled || (stopped && !asked)) {
    return { code: 'CANCELLED', cancelled: true };
  }
  const code = stopped ? 'FAILED_BY_OPERATOR' : (failureCode(error) ?? 'INTERNAL_ERROR');
  return asked && !isOfTheRow(code)
    ? { code: 'FAILED_BY_OPERATOR', cancelled: false, asked }
    : { code, cancelled: false };
}

/** The row has ended by somebody's will, or belongs to another run: there is nothing to write. */
function isOfTheRow(code: ErrorCode): boolean {
  return code === 'CANCELLED' || code === 'DOCUMENT_DELETED' || code === 'ATTEMPT_SUPERSEDED';
}

function failure(
  code: ErrorCode,
  { cause, actor, reason }: Partial<LastWords>,
  { desk, story }: Closing,
): ApplicationFailure {
  desk.close(code);
  story.end(code);
  // The kind says what was wrong, where the code says only that the patience was over.
  upsertSearchAttributes([phase('failed'), { key: failureKind, value: cause ?? code }]);
  return failWith(code, { stage: story.stage(), cause, actor, reason });
}

/**
 * The row was ended by its owner and Temporal's cancel is on its way: a thrown CancelledFailure would close as Failed.
 * Should it never come, the run has no more say and closes as superseded.
 */
async function awaitCancel(
  ref: AttemptRef,
  code: ErrorCode,
  { activities, desk }: Closing,
): Promise<IngestResult> {
  desk.close(code);
  try {
    await condition(() => false, '10 minutes', { summary: 'until Temporal’s own cancel comes' });
    return { outcome: 'superseded' };
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      activities.recordOutcome({ ...ref, code: 'CANCELLED' }),
    );
    throw error;
  }
}
