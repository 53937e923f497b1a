/** What the rows say should run, hear or stop in Temporal, and Temporal may not have heard. */
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { StartStage } from '../domain/ingestion.ts';
import type { Queryable } from './pool.ts';

export interface Startable {
  readonly documentId: DocumentId;
  readonly attemptId: AttemptId;
  readonly ownerId: OwnerId;
  readonly attemptNumber: number;
  readonly startStage: StartStage;
  readonly correlationId: string;
  readonly uploadExpiresAt: Date;
  readonly confirmed: boolean;
  /** A run is stamped. */
  readonly started: boolean;
}

interface StartableRow {
  document_id: DocumentId;
  id: AttemptId;
  owner_id: OwnerId;
  number: number;
  start_stage: StartStage;
  correlation_id: string;
  upload_expires_at: Date;
  confirmed: boolean;
  started: boolean;
}

const startable = `a.document_id, a.id, a.owner_id, a.number, a.start_stage, a.correlation_id, a.upload_expires_at, a.confirmed_at is not null as confirmed,
  a.run_id is not null as started`;

function toStartable(row: StartableRow): Startable {
  return {
    documentId: row.document_id,
    attemptId: row.id,
    ownerId: row.owner_id,
    attemptNumber: row.number,
    startStage: row.start_stage,
    correlationId: row.correlation_id,
    uploadExpiresAt: row.upload_expires_at,
    confirmed: row.confirmed,
    started: row.started,
  };
}

export async function findStartable(
  q: Queryable,
  attemptId: AttemptId,
): Promise<Startable | undefined> {
  const { rows } = await q.query<StartableRow>(
    `select ${startable} from intake.attempts a where a.id = $1`,
    [attemptId],
  );
  return rows[0] && toStartable(rows[0]);
}

/** A second confirm within this time is the same word: the quick looks are still at it. */
const SAME_WORD_SECONDS = 2;

/**
 * Says that the bytes are there, durably: a lost start or signal is made good by the sweep. `undefined` when nobody
 * waits for them any more, or when Temporal has just been told.
 */
export async function markConfirmed(
  transaction: Queryable,
  attemptId: AttemptId,
): Promise<Startable | undefined> {
  const { rows } = await transaction.query<StartableRow>(
    `update intake.attempts a set confirmed_at = now(), confirm_sent_at = null
     where id = $1 and status = 'awaiting_upload'
       and (confirm_sent_at is null or confirm_sent_at < now() - make_interval(secs => ${SAME_WORD_SECONDS}))
     returning ${startable}`,
    [attemptId],
  );
  return rows[0] && toStartable(rows[0]);
}

/** Attempts whose start was lost: unstamped for at least `olderThanMs`. */
export async function unstartedAttempts(
  q: Queryable,
  olderThanMs: number,
): Promise<readonly Startable[]> {
  const { rows } = await q.query<StartableRow>(
    `select ${startable}
     from intake.attempts a join intake.documents d on d.current_attempt_id = a.id and d.deleted_at is null
     where a.run_id is null and a.ended_at is null and a.created_at < now() - make_interval(secs => $1 / 1000.0)
     order by a.created_at limit 100`,
    [olderThanMs],
  );
  return rows.map(toStartable);
}

/** Attempts whose confirm was written down and may not have reached their run. */
export async function unsentConfirms(
  q: Queryable,
  olderThanMs: number,
): Promise<readonly Startable[]> {
  const { rows } = await q.query<StartableRow>(
    `select ${startable}
     from intake.attempts a join intake.documents d on d.current_attempt_id = a.id and d.deleted_at is null
     where a.status = 'awaiting_upload' and a.run_id is not null and a.confirm_sent_at is null
       and a.confirmed_at < now() - make_interval(secs => $1 / 1000.0)
     order by a.confirmed_at limit 100`,
    [olderThanMs],
  );
  return rows.map(toStartable);
}

export async function markConfirmSent(q: Queryable, attemptId: AttemptId): Promise<void> {
  await q.query('update intake.attempts set confirm_sent_at = now() where id = $1', [attemptId]);
}

export interface Stoppable {
  readonly attemptId: AttemptId;
  readonly documentId: DocumentId;
  readonly endedAt: Date;
}

/** Attempts that were cancelled or deleted and whose run has not been told. */
export async function unstoppedAttempts(
  q: Queryable,
  olderThanMs: number,
): Promise<readonly Stoppable[]> {
  const { rows } = await q.query<{ id: AttemptId; document_id: DocumentId; ended_at: Date }>(
    `select id, document_id, ended_at from intake.attempts
     where status in ('cancelled', 'deleted') and stop_sent_at is null and ended_at < now() - make_interval(secs => $1 / 1000.0)
     order by ended_at limit 100`,
    [olderThanMs],
  );
  return rows.map((row) => ({
    attemptId: row.id,
    documentId: row.document_id,
    endedAt: row.ended_at,
  }));
}

export async function markStopSent(q: Queryable, attemptId: AttemptId): Promise<void> {
  await q.query('update intake.attempts set stop_sent_at = now() where id = $1', [attemptId]);
}

/** Tombstones whose erasure has not been started, or has been given up: nothing of a deleted document stays for ever. */
export async function unstartedErasures(
  q: Queryable,
  olderThanMs: number,
): Promise<readonly DocumentId[]> {
  const { rows } = await q.query<{ id: DocumentId }>(
    `select id from intake.documents
     where deleted_at < now() - make_interval(secs => $1 / 1000.0) and erased_at is null
       and (erase_run_id is null or deleted_at < now() - interval '31 days')
     order by deleted_at limit 100`,
    [olderThanMs],
  );
  return rows.map((row) => row.id);
}

export async function stampErasure(
  q: Queryable,
  documentId: DocumentId,
  runId: string,
): Promise<void> {
  await q.query('update intake.documents set erase_run_id = $2 where id = $1', [documentId, runId]);
}
