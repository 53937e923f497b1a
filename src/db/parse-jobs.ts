/** Parse jobs: one row per paid call, written before the call is made. */
import { randomUUID } from 'node:crypto';
import type { AttemptId, DocumentId, OwnerId, ParseJobId, VersionId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export type ParseJobState =
  | 'submitting'
  | 'submitted'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'expired';

export interface ParseJob {
  readonly id: ParseJobId;
  readonly documentId: DocumentId;
  readonly versionId: VersionId;
  readonly state: ParseJobState;
  readonly providerJobId: string | undefined;
  readonly providerFileId: string | undefined;
  readonly createdAt: Date;
  /** How often its submit was begun. */
  readonly tries: number;
}

/** Nobody is told anything more by it. */
export function hasEnded({ state }: ParseJob): boolean {
  return state !== 'submitting' && state !== 'submitted';
}

/** Still worth its money: under way, or completed and what it brought is still there. */
export function isAlive(job: ParseJob): boolean {
  return !hasEnded(job) || job.state === 'completed';
}

export interface ParseJobRow {
  id: ParseJobId;
  document_id: DocumentId;
  version_id: VersionId;
  state: ParseJobState;
  provider_job_id: string | null;
  provider_file_id: string | null;
  created_at: Date;
  tries: number;
}

export const parseJobColumns =
  'j.id, j.document_id, j.version_id, j.state, j.provider_job_id, j.provider_file_id, j.created_at, j.tries';

export function toParseJob(row: ParseJobRow): ParseJob {
  return {
    id: row.id,
    documentId: row.document_id,
    versionId: row.version_id,
    state: row.state,
    providerJobId: row.provider_job_id ?? undefined,
    providerFileId: row.provider_file_id ?? undefined,
    createdAt: row.created_at,
    tries: row.tries,
  };
}

export async function findParseJob(q: Queryable, id: ParseJobId): Promise<ParseJob | undefined> {
  const { rows } = await q.query<ParseJobRow>(
    `select ${parseJobColumns} from intake.parse_jobs j where j.id = $1`,
    [id],
  );
  return rows[0] && toParseJob(rows[0]);
}

/** The newest parse job that this attempt made or adopted. */
export async function parseJobOfAttempt(
  q: Queryable,
  attemptId: AttemptId,
): Promise<ParseJob | undefined> {
  const { rows } = await q.query<ParseJobRow>(
    `select ${parseJobColumns} from intake.attempt_parse_jobs l join intake.parse_jobs j on j.id = l.parse_job_id
     where l.attempt_id = $1 order by j.created_at desc limit 1`,
    [attemptId],
  );
  return rows[0] && toParseJob(rows[0]);
}

/** A job of this version under the same options that is still worth its money. */
export async function adoptableParseJob(
  q: Queryable,
  versionId: VersionId,
  optionsFingerprint: string,
): Promise<ParseJob | undefined> {
  const { rows } = await q.query<ParseJobRow>(
    `select ${parseJobColumns} from intake.parse_jobs j
     where j.version_id = $1 and j.options_fingerprint = $2 and j.state in ('submitting', 'submitted', 'completed')
       and j.forgotten_at is null
     order by j.created_at desc limit 1`,
    [versionId, optionsFingerprint],
  );
  return rows[0] && toParseJob(rows[0]);
}

export interface NewParseJob {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly attemptId: AttemptId;
  readonly optionsFingerprint: string;
}

/** Writes a job down before it is paid for; its attempt listens to it. */
export async function openParseJob(transaction: Queryable, job: NewParseJob): Promise<ParseJob> {
  const { rows } = await transaction.query<ParseJobRow>(
    `with opened as (
       insert into intake.parse_jobs as j (id, document_id, owner_id, version_id, made_by, options_fingerprint)
       values ($1, $2, $3, $4, $5, $6) returning ${parseJobColumns}
     ), linked as (
       insert into intake.attempt_parse_jobs (attempt_id, parse_job_id, adopted) select $5, id, false from opened
     )
     select * from opened`,
    [
      randomUUID(),
      job.documentId,
      job.ownerId,
      job.versionId,
      job.attemptId,
      job.optionsFingerprint,
    ],
  );
  return toParseJob(rows[0] as ParseJobRow);
}

/** From now on this attempt listens to the job of an earlier one. */
export async function adoptParseJob(
  transaction: Queryable,
  attemptId: AttemptId,
  parseJobId: ParseJobId,
): Promise<void> {
  await transaction.query(
    `insert into intake.attempt_parse_jobs (attempt_id, parse_job_id, adopted) values ($1, $2, true) on conflict do nothing`,
    [attemptId, parseJobId],
  );
}

/** Another try begins to submit this job: from the commit on, the tries before it may not create it any more. */
export async function beginTry(transaction: Queryable, job: ParseJob): Promise<ParseJob> {
  const { rows } = await transaction.query<{ tries: number }>(
    'update intake.parse_jobs set tries = tries + 1 where id = $1 returning tries',
    [job.id],
  );
  return { ...job, tries: rows[0]?.tries ?? job.tries };
}

/** The vendor's ids, the first that come. Not fenced: what was paid for is written down whoever paid, and asked back for. */
export async function recordSubmitted(
  q: Queryable,
  id: ParseJobId,
  provider: { readonly providerJobId: string; readonly providerFileId: string | undefined },
): Promise<void> {
  await q.query(
    `update intake.parse_jobs
     set state = case when state = 'submitting' then 'submitted' else state end,
         provider_job_id = coalesce(provider_job_id, $2), provider_file_id = coalesce(provider_file_id, $3),
         submitted_at = coalesce(submitted_at, now()), forgotten_at = null
     where id = $1`,
    [id, provider.providerJobId, provider.providerFileId ?? null],
  );
}

/** The first end of a job is its end: a late 404 does not undo what was collected. */
export async function endParseJob(
  q: Queryable,
  id: ParseJobId,
  end: {
    readonly state: Exclude<ParseJobState, 'submitting' | 'submitted'>;
    readonly credits?: number | undefined;
  },
): Promise<void> {
  await q.query(
    `update intake.parse_jobs set state = $2, credits = coalesce($3, credits), ended_at = now()
     where id = $1 and state in ('submitting', 'submitted')`,
    [id, end.state, end.credits ?? null],
  );
}

/** What these jobs brought is lost to us, and to the vendor, who was told to forget it: nobody adopts them any more. */
export async function expireCompleted(transaction: Queryable, versionId: VersionId): Promise<void> {
  await transaction.query(
    `update intake.parse_jobs set state = 'expired' where version_id = $1 and state = 'completed'`,
    [versionId],
  );
}

/** Every job of a document: one that was forgotten may have been answered since. */
export async function parseJobsOf(
  q: Queryable,
  documentId: DocumentId,
): Promise<readonly ParseJob[]> {
  const { rows } = await q.query<ParseJobRow>(
    `select ${parseJobColumns} from intake.parse_jobs j where j.document_id = $1`,
    [documentId],
  );
  return rows.map(toParseJob);
}

export async function markForgotten(q: Queryable, id: ParseJobId): Promise<void> {
  await q.query('update intake.parse_jobs set forgotten_at = now() where id = $1', [id]);
}
