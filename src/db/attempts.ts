/**
 * Attempts: the status rows. Every write of a worker runs inside `holdAttempt`'s transaction, which locks document
 * and attempt, and refuses whoever is not the run that the row names: a tombstone, a newer attempt and another run
 * are told apart. Locks are always taken in the order document, attempt.
 */
import { codesOfTrouble, type ErrorCode, errorCodes, IntakeError } from '../domain/errors.ts';
import type { AttemptId, DocumentId, OwnerId, VersionId } from '../domain/ids.ts';
import {
  canMove,
  isTerminal,
  type Stage,
  type StartStage,
  type Status,
  statuses,
} from '../domain/ingestion.ts';
import type { MediaType } from '../domain/media-types.ts';
import { retireCopies } from './objects.ts';
import type { Queryable } from './pool.ts';

/** Who writes: the attempt and the Temporal run that acts for it. */
export interface Fence {
  readonly documentId: DocumentId;
  readonly attemptId: AttemptId;
  readonly runId: string;
}

export interface Attempt {
  readonly id: AttemptId;
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly status: Status;
  readonly startStage: StartStage;
  readonly correlationId: string;
  /** Why bytes that arrived for this attempt were refused. */
  readonly refusedCode: ErrorCode | undefined;
  readonly runId: string | undefined;
  readonly version: Version;
}

/** The content an attempt works on; size and type are claims until `originalKey` is set. */
export interface Version {
  readonly id: VersionId;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mediaType: MediaType;
  readonly originalKey: string | undefined;
  readonly markdownKey: string | undefined;
  readonly markdownSha256: string | undefined;
  readonly pageCount: number | undefined;
  readonly pageOffsets: readonly number[];
}

/**
 * Of an attempt `a`: a worker has had its run in its hands. A run in its start delay has not looked for its bytes; one
 * of a later stage starts without delay.
 */
export const hasBegun = `(a.run_id is not null and (a.status <> 'awaiting_upload' or a.looks > 0))`;

const columns = `
  a.id, a.document_id, a.owner_id, a.status, a.start_stage, a.correlation_id, a.refused_code, a.run_id,
  v.id as version_id, v.sha256, v.size_bytes, v.media_type, v.original_key, v.markdown_key, v.markdown_sha256,
  v.page_count, v.page_offsets`;

interface AttemptRow {
  id: AttemptId;
  document_id: DocumentId;
  owner_id: OwnerId;
  status: Status;
  start_stage: StartStage;
  correlation_id: string;
  refused_code: ErrorCode | null;
  run_id: string | null;
  version_id: VersionId;
  sha256: string;
  size_bytes: string;
  media_type: MediaType;
  original_key: string | null;
  markdown_key: string | null;
  markdown_sha256: string | null;
  page_count: number | null;
  page_offsets: number[];
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    documentId: row.document_id,
    ownerId: row.owner_id,
    status: row.status,
    startStage: row.start_stage,
    correlationId: row.correlation_id,
    refusedCode: row.refused_code ?? undefined,
    runId: row.run_id ?? undefined,
    version: {
      id: row.version_id,
      sha256: row.sha256,
      sizeBytes: Number(row.size_bytes),
      mediaType: row.media_type,
      originalKey: row.original_key ?? undefined,
      markdownKey: row.markdown_key ?? undefined,
      markdownSha256: row.markdown_sha256 ?? undefined,
      pageCount: row.page_count ?? undefined,
      pageOffsets: row.page_offsets,
    },
  };
}

/**
 * Locks document and attempt for the rest of the transaction and proves that this run may write.
 * The first run to come claims an attempt that nobody has claimed. Throws `ATTEMPT_ABSENT`, `DOCUMENT_DELETED`,
 * `CANCELLED` or `ATTEMPT_SUPERSEDED` (also for an attempt that has failed: terminal is final). A complete attempt is
 * returned: a repeated activity then finds its own work done.
 */
export async function holdAttempt(transaction: Queryable, fence: Fence): Promise<Attempt> {
  // Two statements, since the second must see what was committed while the first waited for its lock.
  const [document, attempt] = await Promise.all([
    transaction.query<{ current_attempt_id: string | null; deleted_at: Date | null }>(
      'select current_attempt_id, deleted_at from intake.documents where id = $1 for no key update',
      [fence.documentId],
    ),
    transaction.query<AttemptRow>(
      `select ${columns} from intake.attempts a join intake.versions v on v.id = a.version_id
       where a.id = $1 and a.document_id = $2 for no key update of a`,
      [fence.attemptId, fence.documentId],
    ),
  ]);
  const owner = document.rows[0];
  if (!owner) throw new IntakeError('ATTEMPT_ABSENT', { detail: 'the document has no row' });
  if (owner.deleted_at) throw new IntakeError('DOCUMENT_DELETED');
  const row = attempt.rows[0];
  if (!row) throw new IntakeError('ATTEMPT_ABSENT', { detail: 'the attempt has no row' });
  if (owner.current_attempt_id !== fence.attemptId) throw new IntakeError('ATTEMPT_SUPERSEDED');
  if (row.status === 'cancelled') throw new IntakeError('CANCELLED');
  if (isTerminal(row.status) && row.status !== 'complete') {
    throw new IntakeError('ATTEMPT_SUPERSEDED', { detail: 'the attempt has ended' });
  }
  if (row.run_id === null) await stampRun(transaction, fence.attemptId, fence.runId);
  else if (row.run_id !== fence.runId)
    throw new IntakeError('ATTEMPT_SUPERSEDED', { detail: 'another run holds the attempt' });
  return toAttempt({ ...row, run_id: fence.runId });
}

/** Names the run of an attempt that has none yet. False when it already had one. */
export async function stampRun(
  q: Queryable,
  attemptId: AttemptId,
  runId: string,
): Promise<boolean> {
  const { rowCount } = await q.query(
    'update intake.attempts set run_id = $2 where id = $1 and run_id is null',
    [attemptId, runId],
  );
  return rowCount === 1;
}

/** A reset in Temporal gives the attempt a new run: the open one takes over from the run that the row names. */
export async function takeOverRun(q: Queryable, fence: Fence): Promise<void> {
  await q.query(
    `update intake.attempts set run_id = $2, updated_at = now()
     where id = $1 and run_id is distinct from $2
       and exists (select from intake.documents d where d.id = document_id and d.current_attempt_id = $1 and d.deleted_at is null)`,
    [fence.attemptId, fence.runId],
  );
}

/**
 * Walks an attempt forward through `path`, one status after the other, each with its line in the timeline. Statuses
 * that lie behind it are passed over, so that a repeated activity is idempotent and progress never goes back.
 */
export async function advance(
  transaction: Queryable,
  attempt: Attempt,
  path: readonly Status[],
): Promise<Attempt> {
  let { status } = attempt;
  const steps = path.filter((next) => statuses.indexOf(next) > statuses.indexOf(status));
  for (const next of steps) {
    if (!canMove(status, next)) {
      throw new IntakeError('INTERNAL_ERROR', { detail: `illegal move from ${status} to ${next}` });
    }
    status = next;
  }
  await Promise.all(
    steps.map((next) =>
      transaction.query(
        `update intake.attempts
         set status = $2, waiting_code = null, waiting_detail = null, waiting_since = null, next_try_at = null, deadline_at = null
         where id = $1`,
        [attempt.id, next],
      ),
    ),
  );
  return { ...attempt, status };
}

export interface Ending {
  readonly status: Status;
  readonly code: ErrorCode;
  readonly failedStage: Stage | undefined;
}

/** Ends a running attempt, its unverified copies with it. The detail that the failing activity left stays as the cause. */
export async function endAttempt(
  transaction: Queryable,
  attemptId: AttemptId,
  ending: Ending,
): Promise<void> {
  await retireCopies(transaction, attemptId);
  await transaction.query(
    `update intake.attempts
     set status = $2, error_code = $3, failed_stage = $4, error_detail = waiting_detail,
         waiting_code = null, waiting_detail = null, waiting_since = null, next_try_at = null, deadline_at = null
     where id = $1`,
    [attemptId, ending.status, ending.code, ending.failedStage ?? null],
  );
}

export interface Waiting {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly nextTryAt: Date | undefined;
  /** When the patience of this stage is over. */
  readonly deadlineAt: Date | undefined;
}

/** For how long the attempt has waited for what this code tells of; 0 when it is new. */
export async function troubledForMs(q: Queryable, fence: Fence, code: ErrorCode): Promise<number> {
  const { rows } = await q.query<{ ms: number }>(
    `select extract(epoch from clock_timestamp() - waiting_since)::float8 * 1000 as ms
     from intake.attempts where id = $1 and waiting_code = any($2)`,
    [fence.attemptId, codesOfTrouble(code)],
  );
  return Math.max(0, rows[0]?.ms ?? 0);
}

/**
 * Says in the row what the attempt waits for, and since when this trouble lasts; a change of the reason is a line in the
 * timeline. What ends the attempt is no wait: its line comes with the end. A deadline that an operator has moved away
 * is not brought nearer.
 */
export async function noteWaiting(q: Queryable, fence: Fence, waiting: Waiting): Promise<void> {
  await q.query(
    `with before as (
       select id, waiting_code from intake.attempts where id = $1 and run_id = $2 and ended_at is null for no key update
     ), noted as (
       update intake.attempts a
       set waiting_code = $3, waiting_detail = $4, next_try_at = $5, deadline_at = greatest(a.deadline_at, $6),
           waiting_since = case when b.waiting_code = any($8) then a.waiting_since else now() end, updated_at = now()
       from before b where a.id = b.id
       returning a.document_id, a.owner_id, a.id, b.waiting_code as old_code
     )
     insert into intake.events (document_id, owner_id, attempt_id, kind, code, detail)
     select document_id, owner_id, id, 'wait', $3, $4 from noted where old_code is distinct from $3 and $7`,
    [
      fence.attemptId,
      fence.runId,
      waiting.code,
      waiting.detail ?? null,
      waiting.nextTryAt ?? null,
      waiting.deadlineAt ?? null,
      errorCodes[waiting.code].retryable,
      codesOfTrouble(waiting.code),
    ],
  );
}

/** An operator gives what the attempt waits for more time. */
export async function extendDeadline(
  q: Queryable,
  attemptId: AttemptId,
  until: Date,
): Promise<void> {
  await q.query(
    `update intake.attempts
     set upload_expires_at = case when status = 'awaiting_upload' then greatest(upload_expires_at, $2) else upload_expires_at end,
         deadline_at = greatest(deadline_at, $2)
     where id = $1`,
    [attemptId, until],
  );
}

/** Whether a try of this run that ended after `since` has said what it waits for. */
export async function hasNotedWait(q: Queryable, fence: Fence, since: Date): Promise<boolean> {
  const { rowCount } = await q.query(
    'select from intake.attempts where id = $1 and run_id = $2 and next_try_at >= $3',
    [fence.attemptId, fence.runId, since],
  );
  return rowCount === 1;
}

export async function countLook(q: Queryable, attemptId: AttemptId): Promise<void> {
  await q.query('update intake.attempts set looks = looks + 1 where id = $1', [attemptId]);
}

/** Bytes were refused: kept with the attempt, since their key is not looked at again. */
export async function recordRefusal(
  transaction: Queryable,
  attemptId: AttemptId,
  code: ErrorCode,
): Promise<void> {
  await transaction.query('update intake.attempts set refused_code = $2 where id = $1', [
    attemptId,
    code,
  ]);
}
