/**
 * The activities as the workflow sees them: types only, so that nothing of Node, SQL or a vendor can
 * reach the workflow bundle. Payloads carry ids, counts and codes and stay below 1 KB.
 */
import type { ErrorCode } from '../src/domain/errors.ts';
import type { AttemptId, DocumentId, ParseJobId } from '../src/domain/ids.ts';
import type { Asked, FailRequest } from '../src/domain/operators.ts';
import type { Pass, Tally } from '../src/domain/reconciliation.ts';

/** Names the attempt; owner, keys and everything else come from Postgres. */
export interface AttemptRef {
  readonly documentId: DocumentId;
  readonly attemptId: AttemptId;
}

export interface VerifyResult {
  readonly sizeBytes: number;
}

export interface SubmitParseResult {
  readonly parseJobId: ParseJobId;
  /** True when an earlier try's job was taken over instead of paying again. */
  readonly adopted: boolean;
}

export interface ParseJobRef extends AttemptRef {
  readonly parseJobId: ParseJobId;
}

/** Without a job: an attempt that starts from Markdown which an earlier one stored. */
export interface CollectRef extends AttemptRef {
  readonly parseJobId?: ParseJobId;
}

export interface PollParseResult {
  readonly state: 'pending' | 'ended';
}

/** `pending`: the webhook spoke too early or lied; the wait goes on. */
export type CollectResult =
  | { readonly state: 'pending' }
  | { readonly state: 'stored'; readonly pages: number; readonly chunks: number };

export interface EmbedResult {
  readonly chunks: number;
}

/** Why an attempt ends other than complete. Which status that is follows from the row's own status. */
export interface Outcome extends AttemptRef {
  readonly code: ErrorCode;
  /** The operator who asked for it. */
  readonly asked?: FailRequest;
}

export interface RecordedOutcome {
  /** The owner's word, when it ended the row first. */
  readonly endedByOwner?: 'CANCELLED' | 'DOCUMENT_DELETED';
  /** An operator's word, when it ended the row while no update could reach the run. */
  readonly failedByOperator?: FailRequest;
}

/** What an operator asked of a run, for the timeline. */
export interface AskedCommand extends AttemptRef, Asked {
  readonly name: 'poll' | 'extend';
  /** The new deadline of what the attempt waits for; epoch milliseconds. */
  readonly deadlineAtMs?: number;
}

export interface EraseSweep {
  readonly documentId: DocumentId;
  /** The last sweep also removes what the timeline needed until then, and proves that nothing is left. */
  readonly final: boolean;
}

export interface EraseResult {
  /** When the last upload URL can no longer be used, 0 when there was none; epoch milliseconds. */
  readonly urlsExpireAtMs: number;
}

export interface IngestActivities {
  verify(ref: AttemptRef): Promise<VerifyResult>;
  submitParse(ref: AttemptRef): Promise<SubmitParseResult>;
  pollParse(ref: ParseJobRef): Promise<PollParseResult>;
  collect(ref: CollectRef): Promise<CollectResult>;
  embed(ref: AttemptRef): Promise<EmbedResult>;
  /** `undefined` from a worker of before, also in histories. */
  recordOutcome(outcome: Outcome): Promise<RecordedOutcome | undefined>;
}

export interface OperatorActivities {
  recordCommand(command: AskedCommand): Promise<void>;
}

export interface EraseActivities {
  eraseDocument(sweep: EraseSweep): Promise<EraseResult>;
}

export interface ReconcilePage {
  readonly pass: Pass;
  /** Where the page begins: an id. */
  readonly cursor?: string;
}

export interface ReconciledPage {
  readonly tally: Tally;
  /** Where the next page begins; absent behind the last. */
  readonly next?: string;
}

export interface ReconcileActivities {
  reconcile(page: ReconcilePage): Promise<ReconciledPage>;
}
