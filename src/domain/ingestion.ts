/**
 * The life of an attempt as data: statuses, stages, legal moves and how a run closes in Temporal.
 * The SQL constraint and trigger, the types, the guard in the repository and the tests derive from
 * this table; a test compares the migration with it.
 */
import { type ErrorCode, errorCodes } from './errors.ts';

export const statuses = [
  'awaiting_upload',
  'uploaded',
  'parse_queued',
  'parsed',
  'parse_validated',
  'chunking',
  'chunks_stored',
  'embedding_queued',
  'embedding_in_progress',
  'embeddings_stored',
  'complete',
  'upload_expired',
  'upload_rejected',
  'failed_storage',
  'failed_parse',
  'failed_chunking',
  'failed_embedding',
  'cancelled',
  'deleted',
  'duplicate',
] as const;
export type Status = (typeof statuses)[number];

/** Stage names are the same in every room: activities, timeline, metrics, errors. */
export const stages = ['verify', 'parse', 'collect', 'chunk', 'embed', 'complete'] as const;
export type Stage = (typeof stages)[number];

/** From where a run begins: a retry starts at the stage that failed, on the evidence already paid for. */
export type StartStage = 'verify' | 'parse' | 'collect' | 'embed';

/** The status a new attempt is born with, by the stage it starts at. */
export const initialStatus = {
  verify: 'awaiting_upload',
  parse: 'uploaded',
  collect: 'parse_queued',
  embed: 'chunks_stored',
} as const satisfies Record<StartStage, Status>;

/** Ends that any running attempt may come to by somebody's will. */
const byWill = ['cancelled', 'deleted'] as const;

/** Every legal move within one attempt. A status without an entry on the right is terminal. */
export const moves = {
  awaiting_upload: ['uploaded', 'upload_expired', 'upload_rejected', 'failed_storage', ...byWill],
  uploaded: ['parse_queued', 'failed_storage', 'failed_parse', ...byWill],
  parse_queued: ['parsed', 'failed_storage', 'failed_parse', ...byWill],
  parsed: ['parse_validated', 'failed_storage', 'failed_parse', ...byWill],
  parse_validated: ['chunking', 'failed_storage', 'failed_chunking', ...byWill],
  chunking: ['chunks_stored', 'failed_storage', 'failed_chunking', ...byWill],
  chunks_stored: ['embedding_queued', 'failed_embedding', ...byWill],
  embedding_queued: ['embedding_in_progress', 'failed_embedding', ...byWill],
  embedding_in_progress: ['embeddings_stored', 'failed_embedding', ...byWill],
  embeddings_stored: ['complete', 'failed_embedding', ...byWill],
  complete: [],
  upload_expired: [],
  upload_rejected: [],
  failed_storage: [],
  failed_parse: [],
  failed_chunking: [],
  failed_embedding: [],
  cancelled: [],
  deleted: [],
  duplicate: [],
} as const satisfies Record<Status, readonly Status[]>;

type MovesFrom = typeof moves;
export type TerminalStatus = {
  [S in Status]: MovesFrom[S]['length'] extends 0 ? S : never;
}[Status];
export type RunningStatus = Exclude<Status, TerminalStatus>;

export function canMove(from: Status, to: Status): boolean {
  const targets: readonly Status[] = moves[from];
  return targets.includes(to);
}

export function isTerminal(status: Status): status is TerminalStatus {
  return moves[status].length === 0;
}

/** How the run of an attempt that ended so closes in Temporal. */
export type Closing = 'completed' | 'failed' | 'canceled';
export const closings = {
  complete: 'completed',
  upload_expired: 'failed',
  upload_rejected: 'failed',
  failed_storage: 'failed',
  failed_parse: 'failed',
  failed_chunking: 'failed',
  failed_embedding: 'failed',
  cancelled: 'canceled',
  deleted: 'canceled',
  duplicate: 'completed',
} as const satisfies Record<TerminalStatus, Closing>;

/** The stage in which an attempt with this status is at work; `undefined` for ends. */
export const stageOf = {
  awaiting_upload: 'verify',
  uploaded: 'parse',
  parse_queued: 'collect',
  parsed: 'collect',
  parse_validated: 'chunk',
  chunking: 'chunk',
  chunks_stored: 'embed',
  embedding_queued: 'embed',
  embedding_in_progress: 'embed',
  embeddings_stored: 'complete',
} as const satisfies Record<RunningStatus, Stage>;

/** Share of the road done, in percent, for progress bars; weights are the original system's. */
export const progressPercent = {
  awaiting_upload: 0,
  uploaded: 10,
  parse_queued: 20,
  parsed: 30,
  parse_validated: 35,
  chunking: 45,
  chunks_stored: 50,
  embedding_queued: 60,
  embedding_in_progress: 70,
  embeddings_stored: 80,
  complete: 100,
} as const satisfies Record<RunningStatus | 'complete', number>;

/** Coarse phase for operators' search attribute; at most three upserts a run. */
export type Phase = 'awaiting_upload' | 'parsing' | 'embedding' | 'complete' | 'failed';

/** Codes that blame storage wherever they arise. */
const storageCodes: ReadonlySet<ErrorCode> = new Set([
  'STORAGE_ACCESS_ERROR',
  'STORAGE_OUT_OF_PATIENCE',
  'STORAGE_FORBIDDEN',
  'STORAGE_UNAVAILABLE',
  'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
]);

const failedIn = {
  verify: 'failed_storage',
  parse: 'failed_parse',
  collect: 'failed_parse',
  chunk: 'failed_chunking',
  embed: 'failed_embedding',
  complete: 'failed_embedding',
} as const satisfies Record<Stage, TerminalStatus>;

/** The end to which `code` brings an attempt that stands at `status`: always a legal move from there. */
export function endedBy(code: ErrorCode, status: RunningStatus): TerminalStatus {
  if (code === 'CANCELLED') return 'cancelled';
  if (code === 'DOCUMENT_DELETED') return 'deleted';
  const stage = stageOf[status];
  if (stage === 'verify') {
    if (code === 'UPLOAD_EXPIRED') return 'upload_expired';
    return errorCodes[code].turn === 'user' ? 'upload_rejected' : 'failed_storage';
  }
  if (storageCodes.has(code) && canMove(status, 'failed_storage')) return 'failed_storage';
  return failedIn[stage];
}

/** What earlier attempts have already proven and paid for. */
export interface Evidence {
  /** The private copy was verified and is still trusted. */
  readonly verified: boolean;
  /** The Markdown is stored and hashed. */
  readonly parsed: boolean;
  /** The stage in which the last attempt ended; `undefined` when it ended by will. */
  readonly failedStage: Stage | undefined;
}

/**
 * Where a new attempt starts: as late as the evidence allows, so that nothing paid and kept is paid again. `collect`
 * starts from the stored Markdown; a parse job that is still worth its money is adopted by `parse`.
 */
export function startStageFor({ verified, parsed, failedStage }: Evidence): StartStage {
  if (!verified) return 'verify';
  if (!parsed) return 'parse';
  return failedStage === 'embed' || failedStage === 'complete' ? 'embed' : 'collect';
}
