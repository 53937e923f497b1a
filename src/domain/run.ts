/**
 * What API, workflow and worker say to each other through Temporal: inputs, results, signals.
 * Payloads stay below 1 KB and hold ids, instants, durations, counts and codes only.
 * Compatible one version both ways: a run under its start delay takes the workers current when it is dispatched.
 */
import type { ErrorCode } from './errors.ts';
import type { AttemptId, DocumentId, ParseJobId } from './ids.ts';
import type { Stage, StartStage } from './ingestion.ts';
import type { Pass, Tally } from './reconciliation.ts';

/** Every wait of a run has a limit, fixed when the run starts. */
export interface IngestPolicy {
  /** When the upload expires; epoch milliseconds. */
  readonly uploadExpiresAtMs: number;
  /** Looks for an unconfirmed upload, counted from the first look. */
  readonly looksAfterMs: readonly number[];
  readonly storagePatienceMs: number;
  readonly parserPatienceMs: number;
  readonly embedderPatienceMs: number;
  readonly parseDeadlineMs: number;
  readonly pollFirstMs: number;
  readonly pollMaxMs: number;
}

const LOOKS = 6;

/**
 * Looks for an upload that nobody confirms, in milliseconds after the first: each twice as far off as the one before it,
 * so that bytes wait no longer for us than we have waited for them. When the upload ends there is one more.
 */
export function plannedLooks(uploadLifetimeMs: number): readonly number[] {
  return Array.from({ length: LOOKS }, (_, index) =>
    Math.round(uploadLifetimeMs / 2 ** (LOOKS - index)),
  );
}

export interface IngestInput {
  readonly documentId: DocumentId;
  readonly attemptId: AttemptId;
  readonly startStage: StartStage;
  readonly policy: IngestPolicy;
}

export type IngestResult =
  | { readonly outcome: 'complete'; readonly pages: number; readonly chunks: number }
  /** Another run has taken over; this one had no more say. No status of a document. */
  | { readonly outcome: 'superseded' };

/** What a failed run leaves behind its code and sentence, readable when no worker of its version is left. */
export interface LastWords {
  readonly stage: Stage;
  /** What kept failing until the patience was over. */
  readonly cause?: ErrorCode | undefined;
  /** Of an operator, who ended it. */
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** The run may still stand in its start delay, which an update would end and a signal does not. */
export interface UploadExtended {
  readonly untilMs: number;
}

export interface EraseInput {
  readonly documentId: DocumentId;
  /** How long after the last upload URL has expired the second sweep comes. */
  readonly secondSweepAfterMs: number;
}

/** A webhook's word: a hint that wakes the wait, never data. */
export interface ParseEvent {
  readonly parseJobId: ParseJobId;
}

/** Which passes a run of reconciliation makes, and how far it has come when it goes on as new. */
export interface ReconcileInput {
  readonly passes: readonly Pass[];
  readonly cursor?: string;
  readonly tally?: Tally;
  readonly brokenOff?: readonly Pass[];
}

/** Counts only: which they are is in the log, and in what `intake reconcile` prints. */
export interface ReconcileResult {
  readonly tally: Tally;
  /** Passes that a party out of order kept from finishing; the next run makes them again. */
  readonly brokenOff: readonly Pass[];
}

export const workflowTypes = {
  ingest: 'ingestDocument',
  erase: 'eraseDocument',
  reconcile: 'reconcile',
} as const;
export const signalNames = {
  confirmUpload: 'confirmUpload',
  parseEvent: 'parseEvent',
  uploadExtended: 'uploadExtended',
} as const;
/** Registered at the Temporal server as Keyword; API and worker are not ready while one is missing. */
export const searchAttributeNames = {
  documentStatus: 'DocumentStatus',
  tenantId: 'TenantId',
  parseJobId: 'ParseJobId',
  failureKind: 'FailureKind',
} as const;
