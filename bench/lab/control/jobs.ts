/** Rows of the original: the poll's query and the writes, none of them guarded. */
import type pg from 'pg';
import { lastError } from './errors.ts';

export type Database = Pick<pg.Pool, 'query'>;

export interface Job {
  readonly job_id: string;
  readonly document_id: string;
  readonly user_id: string;
  readonly status: string;
  readonly retry_count: number;
  readonly storage_path: string;
  readonly parsed_path: string | null;
}

/**
 * The guide's query (3.2), begun work first. `parse_queued` is left out: nothing is done about it, and polling it kept
 * the original in a busy loop.
 */
export const NEXT_JOB = `
  select uj.job_id, uj.document_id, d.user_id, uj.status, uj.retry_count,
         d.raw_path as storage_path, d.parsed_path
  from upload_pipeline.upload_jobs uj
  join upload_pipeline.documents d on uj.document_id = d.document_id
  where uj.status in ('uploaded', 'parsed', 'parse_validated', 'chunking', 'chunks_stored', 'embeddings_stored')
    and (uj.last_error is null or (uj.last_error->>'retry_at')::timestamptz <= now())
    and uj.job_id <> all ($1)
  order by case uj.status when 'uploaded' then 1 else 0 end, uj.created_at
  limit 1
  for update of uj skip locked`;

export async function nextJob(
  database: Database,
  busy: Iterable<string>,
): Promise<Job | undefined> {
  const { rows } = await database.query<Job>(NEXT_JOB, [[...busy]]);
  return rows[0];
}

/** A row that has vanished is no error: nobody looks at the count. */
export async function setStatus(
  database: Database,
  { job_id }: Pick<Job, 'job_id'>,
  status: string,
): Promise<void> {
  await database.query(
    'update upload_pipeline.upload_jobs set status = $2, updated_at = now() where job_id = $1',
    [job_id, status],
  );
}

/** One word for a failure in any stage. */
export async function setFailed(
  database: Database,
  { job_id }: Pick<Job, 'job_id'>,
  error: unknown,
): Promise<void> {
  await database.query(
    `update upload_pipeline.upload_jobs
     set status = 'failed_parse', last_error = $2, updated_at = now() where job_id = $1`,
    [job_id, lastError(error)],
  );
}
