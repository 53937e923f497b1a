/** Every timeout and retry of the road, in one place, each with its reason. */
import {
  ActivityCancellationType,
  type ActivityOptions,
  proxyActivities,
} from '@temporalio/workflow';
import type {
  AttemptRef,
  CollectRef,
  EraseActivities,
  IngestActivities,
  OperatorActivities,
  ReconcileActivities,
} from '../activities/contract.ts';
import { type ErrorCode, errorCodes } from '../src/domain/errors.ts';
import type { IngestPolicy } from '../src/domain/run.ts';

/**
 * Heartbeats come from a ticker every half second. Two and a half seconds without one mean a dead worker: its work
 * is back at another within four seconds of a restart.
 */
const alive = {
  heartbeatTimeout: '2500 milliseconds',
  // The run waits until the activity has noticed: nothing of it is left writing when the outcome is recorded.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const satisfies ActivityOptions;

/** Retryable codes that are not answered by looking again in a moment: the patient policy has them. */
const patientCodes = Object.entries(errorCodes)
  .filter(([code, { retryable }]) => retryable && code !== 'STORAGE_OBJECT_ABSENT')
  .map(([code]) => code as ErrorCode);

/** The seed's existence check: one look and three more after 1, 2 and 4 s. */
const quickLook = {
  ...alive,
  startToCloseTimeout: '10 minutes',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumAttempts: 4,
    nonRetryableErrorTypes: patientCodes,
  },
} as const satisfies ActivityOptions;

/** A vendor that is out of order is asked no more often. How pauses grow up to here: `activities/pause.ts`. */
const VENDOR_PAUSE_MS = 120_000;

/** The breaker in front of storage limits the calls by itself. */
const STORAGE_PAUSE_MS = 20_000;

/** Storage, parser or embedder out of order: the document waits, and only its named deadline ends that. */
function patiently(
  patienceMs: number,
  longestPauseMs: number,
  nonRetryable: readonly ErrorCode[] = [],
): ActivityOptions {
  return {
    ...alive,
    startToCloseTimeout: '2 hours',
    scheduleToCloseTimeout: patienceMs,
    retry: {
      // For a worker that died: its work is not to wait any longer than the heartbeat did. Failures name their own pause.
      initialInterval: '100 milliseconds',
      backoffCoefficient: 2,
      maximumInterval: longestPauseMs,
      nonRetryableErrorTypes: [...nonRetryable],
    },
  };
}

/** A poll that fails is a poll without an answer: the next interval asks again. */
const poll = {
  ...alive,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
} as const satisfies ActivityOptions;

/** An outcome must be written; a database that is gone for a week has worse problems. */
const outcome = {
  ...alive,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '1 minute' },
} as const satisfies ActivityOptions;

export type Activities = ReturnType<typeof ingestActivities>;

/** Those that wait patiently take the patience that is left where an operator has extended it. */
export function ingestActivities(policy: IngestPolicy) {
  const { storagePatienceMs, parserPatienceMs, embedderPatienceMs } = policy;
  const of = (options: ActivityOptions) =>
    proxyActivities<IngestActivities & OperatorActivities>(options);
  return {
    look: of({ ...quickLook, summary: 'look for the bytes and verify them' }).verify,
    lookPatiently: (ref: AttemptRef, patienceMs = storagePatienceMs) =>
      of({
        ...patiently(patienceMs, STORAGE_PAUSE_MS, ['STORAGE_OBJECT_ABSENT']),
        summary: 'storage is out of order: verify when it is back',
      }).verify(ref),
    submitParse: (ref: AttemptRef, patienceMs = parserPatienceMs) =>
      of({
        ...patiently(patienceMs, VENDOR_PAUSE_MS),
        summary: 'hand the document to the parser',
      }).submitParse(ref),
    pollParse: of({ ...poll, summary: 'the webhook is silent: ask the parser' }).pollParse,
    pollParseNow: of({ ...poll, summary: 'an operator asks the parser' }).pollParse,
    collect: (ref: CollectRef, patienceMs = storagePatienceMs) =>
      of({
        ...patiently(patienceMs, STORAGE_PAUSE_MS),
        summary: 'fetch, validate, store and chunk the result',
      }).collect(ref),
    embed: (ref: AttemptRef, patienceMs = embedderPatienceMs) =>
      of({
        ...patiently(patienceMs, VENDOR_PAUSE_MS),
        summary: 'embed, prove and go live',
      }).embed(ref),
    recordOutcome: of({ ...outcome, summary: 'write down how it ended' }).recordOutcome,
    recordCommand: of({ ...outcome, summary: 'write down what an operator asked' }).recordCommand,
  };
}

/** Whatever refuses, erasure tries for a month, in the open; the outbox sweep then starts it anew. */
export const { eraseDocument } = proxyActivities<EraseActivities>({
  ...alive,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '30 days',
  retry: { initialInterval: '1 second', maximumInterval: '10 minutes' },
  summary: 'erase at every place and count what is left',
});

/** A party that is out of order for longer keeps its pass for the next run, and no other pass waiting. */
export const { reconcile: reconcilePage } = proxyActivities<ReconcileActivities>({
  ...alive,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 5 },
  summary: 'find what rows, runs, objects and parse jobs do not agree on, and heal it',
});
