/**
 * The life of a document, top to bottom: wait for the bytes and verify them, have them parsed, collect and chunk,
 * embed and prove, go live. One run per attempt, workflow id `ingest/<documentId>`.
 */
import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AttemptRef } from '../activities/contract.ts';
import type { IngestInput, IngestResult } from '../src/domain/run.ts';
import { type Activities, ingestActivities } from './activity-options.ts';
import { parseDocument } from './await-parse.ts';
import { awaitUpload } from './await-upload.ts';
import { failureCode, failWith, orOutOfPatience } from './failure.ts';
import { openInbox } from './messages.ts';
import { failureKind, parseJobId as parseJobIdKey, phase } from './search-attributes.ts';
import { tell } from './story.ts';

export async function ingestDocument(input: IngestInput): Promise<IngestResult> {
  const inbox = openInbox();
  const { documentId, attemptId, startStage, policy } = input;
  const ref: AttemptRef = { documentId, attemptId };
  const activities = ingestActivities(policy);
  try {
    if (startStage === 'verify') await awaitUpload(ref, policy, { activities, inbox });
    let pages = 0;
    if (startStage !== 'embed') {
      const stored = await parseDocument(ref, policy, {
        activities,
        inbox,
        fromStored: startStage === 'collect',
        onSubmitted: (job) =>
          upsertSearchAttributes([phase('parsing'), { key: parseJobIdKey, value: job }]),
      });
      pages = stored.pages;
    }
    tell('embed', {});
    upsertSearchAttributes([phase('embedding')]);
    const { chunks } = await orOutOfPatience(activities.embed(ref), (code) =>
      code === 'ATTEMPT_ABSENT' ? code : 'EMBEDDING_OUT_OF_PATIENCE',
    );
    tell('complete', {});
    upsertSearchAttributes([phase('complete')]);
    return { outcome: 'complete', pages, chunks };
  } catch (error) {
    return await end(ref, error, activities);
  }
}

/**
 * Closes the run as its outcome asks: superseded completes, cancelled and deleted are canceled, the rest fails. The
 * outcome is written whatever else is asked of the run: a cancel may meet an activity that fails by itself.
 */
async function end(ref: AttemptRef, error: unknown, activities: Activities): Promise<IngestResult> {
  const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
  const code = cancelled ? 'CANCELLED' : (failureCode(error) ?? 'INTERNAL_ERROR');
  if (code === 'ATTEMPT_SUPERSEDED') return { outcome: 'superseded' };
  if (!cancelled && (code === 'CANCELLED' || code === 'DOCUMENT_DELETED')) {
    return await awaitCancel(ref, activities);
  }
  const recorded = await CancellationScope.nonCancellable(() =>
    activities.recordOutcome({ ...ref, code }),
  );
  if (cancelled) throw isCancellation(error) ? error : new CancelledFailure('cancelled');
  // The owner was faster than this failure: the run closes as the row says.
  if (recorded?.endedByOwner) return await awaitCancel(ref, activities);
  upsertSearchAttributes([phase('failed'), { key: failureKind, value: code }]);
  throw failWith(code);
}

/**
 * The row was ended by its owner and Temporal's cancel is on its way: a thrown CancelledFailure would close as Failed.
 * Should it never come, the run has no more say and closes as superseded.
 */
async function awaitCancel(ref: AttemptRef, activities: Activities): Promise<IngestResult> {
  try {
    await condition(() => false, '10 minutes');
    return { outcome: 'superseded' };
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      activities.recordOutcome({ ...ref, code: 'CANCELLED' }),
    );
    throw error;
  }
}
