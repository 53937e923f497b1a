/** What reconciliation reads and mends: pages over rows in the order of their ids, and compare-and-set writes. */
import type { AttemptId, DocumentId, OwnerId, ParseJobId } from '../domain/ids.ts';
import { isTerminal, type Status } from '../domain/ingestion.ts';
import { endAttempt } from './attempts.ts';
import { buryDocument } from './documents.ts';
import type { Place } from './objects.ts';
import { markConfirmed } from './outbox.ts';
import { type ParseJob, type ParseJobRow, parseJobColumns, toParseJob } from './parse-jobs.ts';
import type { Queryable } from './pool.ts';

/** Below every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

export interface PageOf<Cursor> {
  readonly after: Cursor | undefined;
  readonly limit: number;
  /** Rows that have changed since are left alone. */
  readonly before: Date;
}

export interface UnfinishedAttempt {
  readonly attemptId: AttemptId;
  readonly documentId: DocumentId;
  readonly runId: string | undefined;
  readonly updatedAt: Date;
}

/** Current attempts of living documents that have not ended. */
export async function unfinishedAttempts(
  q: Queryable,
  page: PageOf<string>,
): Promise<readonly UnfinishedAttempt[]> {
  const { rows } = await q.query<{
    id: AttemptId;
    document_id: DocumentId;
    run_id: string | null;
    updated_at: Date;
  }>(
    `select a.id, a.document_id, a.run_id, a.updated_at
     from intake.attempts a join intake.documents d on d.current_attempt_id = a.id and d.deleted_at is null
     where a.ended_at is null and a.id > $1 and a.updated_at <= $2
     order by a.id limit $3`,
    [page.after ?? FIRST, page.before, page.limit],
  );
  return rows.map((row) => ({
    attemptId: row.id,
    documentId: row.document_id,
    runId: row.run_id ?? undefined,
    updatedAt: row.updated_at,
  }));
}

/** A new run takes the place of the one that the row names; any other write in between wins. */
export async function renewRun(
  q: Queryable,
  attemptId: AttemptId,
  runs: { readonly from: string | undefined; readonly to: string },
): Promise<void> {
  await q.query(
    `update intake.attempts set run_id = $3
     where id = $1 and run_id is not distinct from $2 and ended_at is null`,
    [attemptId, runs.from ?? null, runs.to],
  );
}

/** What the rows say about an attempt that has an open run. */
export interface Standing {
  readonly ownerId: OwnerId;
  readonly deletedAt: Date | undefined;
  readonly createdAt: Date;
  readonly currentAttemptId: AttemptId | undefined;
  readonly status: Status | undefined;
  readonly updatedAt: Date;
}

/** Documents without a row are missing from the answer. */
export async function standingsOf(
  q: Queryable,
  documentIds: readonly DocumentId[],
): Promise<ReadonlyMap<DocumentId, Standing>> {
  const { rows } = await q.query<{
    id: DocumentId;
    owner_id: OwnerId;
    deleted_at: Date | null;
    created_at: Date;
    current_attempt_id: AttemptId | null;
    status: Status | null;
    updated_at: Date;
  }>(
    `select d.id, d.owner_id, d.deleted_at, d.created_at, d.current_attempt_id, a.status,
            greatest(d.updated_at, a.updated_at) as updated_at
     from intake.documents d left join intake.attempts a on a.id = d.current_attempt_id
     where d.id = any($1)`,
    [documentIds],
  );
  return new Map(
    rows.map((row) => [
      row.id,
      {
        ownerId: row.owner_id,
        deletedAt: row.deleted_at ?? undefined,
        createdAt: row.created_at,
        currentAttemptId: row.current_attempt_id ?? undefined,
        status: row.status ?? undefined,
        updatedAt: row.updated_at,
      },
    ]),
  );
}

/** Tombstones that are not erased although an erasure was started. */
export async function unerasedTombstones(
  q: Queryable,
  page: PageOf<string>,
): Promise<readonly { readonly documentId: DocumentId; readonly deletedAt: Date }[]> {
  const { rows } = await q.query<{ id: DocumentId; deleted_at: Date }>(
    `select id, deleted_at from intake.documents
     where deleted_at <= $2 and erased_at is null and id > $1
     order by id limit $3`,
    [page.after ?? FIRST, page.before, page.limit],
  );
  return rows.map((row) => ({ documentId: row.id, deletedAt: row.deleted_at }));
}

/** A deletion that the database has forgotten. */
export interface Deletion extends Place {
  readonly deletedAt: Date;
}

/**
 * Buries a document that was deleted before, also one that has no row left: its id stays taken. A row that is younger
 * than the deletion is another document and stays.
 */
export async function buryAgain(transaction: Queryable, deletion: Deletion): Promise<void> {
  const { documentId, ownerId, deletedAt } = deletion;
  await transaction.query(
    `insert into intake.documents (id, owner_id, name, deleted_at, created_at) values ($1, $2, '', $3, $3)
     on conflict (id) do nothing`,
    [documentId, ownerId, deletedAt],
  );
  const { rows } = await transaction.query<{ id: AttemptId; status: Status }>(
    `select a.id, a.status from intake.documents d join intake.attempts a on a.id = d.current_attempt_id
     where d.id = $1 and d.deleted_at is null and d.created_at < $2 for no key update`,
    [documentId, deletedAt],
  );
  const attempt = rows[0];
  if (!attempt) return;
  if (!isTerminal(attempt.status)) {
    const ending = { status: 'deleted', code: 'DOCUMENT_DELETED', failedStage: undefined } as const;
    await endAttempt(transaction, attempt.id, ending);
  }
  await buryDocument(transaction, documentId);
}

/**
 * Parse jobs to which no unfinished attempt listens any more, and that have no end yet or were never forgotten at the
 * vendor.
 */
export async function abandonedParseJobs(
  q: Queryable,
  page: PageOf<string>,
): Promise<readonly ParseJob[]> {
  const { rows } = await q.query<ParseJobRow>(
    `select ${parseJobColumns} from intake.parse_jobs j
     where (j.state in ('submitting', 'submitted') or j.forgotten_at is null) and j.id > $1
       and not exists (
         select from intake.attempt_parse_jobs l join intake.attempts a on a.id = l.attempt_id
         where l.parse_job_id = j.id
           and (a.ended_at is null or a.ended_at > $2))
     order by j.id limit $3`,
    [page.after ?? FIRST, page.before, page.limit],
  );
  return rows.map(toParseJob);
}

/** Which of these ids have a parse job row, and whether it says that the vendor was told to forget the job. */
export async function knownParseJobs(
  q: Queryable,
  ids: readonly ParseJobId[],
): Promise<ReadonlyMap<ParseJobId, 'needed' | 'forgotten'>> {
  const { rows } = await q.query<{ id: ParseJobId; forgotten: boolean }>(
    'select id, forgotten_at is not null as forgotten from intake.parse_jobs where id = any($1)',
    [ids],
  );
  return new Map(rows.map(({ id, forgotten }) => [id, forgotten ? 'forgotten' : 'needed']));
}

/** Steps from document to document over an index: the chunks themselves are not read. */
export async function documentsWithChunks(
  q: Queryable,
  page: Pick<PageOf<string>, 'after' | 'limit'>,
): Promise<readonly DocumentId[]> {
  const { rows } = await q.query<{ id: DocumentId }>(
    `with recursive step as (
       (select document_id as id, 1 as n from intake.chunks where document_id > $1 order by document_id limit 1)
       union all
       select (select c.document_id from intake.chunks c where c.document_id > step.id order by c.document_id limit 1),
              step.n + 1
       from step where step.id is not null and step.n < $2)
     select id from step where id is not null order by id`,
    [page.after ?? FIRST, page.limit],
  );
  return rows.map(({ id }) => id);
}

/** Those of them that are erased or have no row. */
export async function withoutDocument(
  q: Queryable,
  documentIds: readonly DocumentId[],
): Promise<readonly DocumentId[]> {
  const { rows } = await q.query<{ id: DocumentId }>(
    `select given.id from unnest($1::uuid[]) as given (id)
     where not exists (select from intake.documents d where d.id = given.id and d.erased_at is null)`,
    [documentIds],
  );
  return rows.map(({ id }) => id);
}

/** Vectors go with their chunks; generations go too where they are left. */
export async function removeChunks(transaction: Queryable, documentId: DocumentId): Promise<void> {
  const orphaned =
    'not exists (select from intake.documents d where d.id = $1 and d.erased_at is null)';
  await transaction.query(`delete from intake.chunks where document_id = $1 and ${orphaned}`, [
    documentId,
  ]);
  await transaction.query(`delete from intake.generations where document_id = $1 and ${orphaned}`, [
    documentId,
  ]);
}

/** Where the bytes of a living document must be. */
export interface StoredDocument extends Place {
  readonly updatedAt: Date;
  readonly awaitsUpload: boolean;
  /** Keys of evidence: verified bytes and stored Markdown. */
  readonly evidence: readonly string[];
}

export async function storedDocuments(
  q: Queryable,
  page: Pick<PageOf<string>, 'after' | 'limit'>,
): Promise<readonly StoredDocument[]> {
  const { rows } = await q.query<{
    id: DocumentId;
    owner_id: OwnerId;
    updated_at: Date;
    awaits_upload: boolean;
    evidence: string[];
  }>(
    `select d.id, d.owner_id, greatest(d.updated_at, a.updated_at) as updated_at,
            a.status = 'awaiting_upload' as awaits_upload,
            array_remove(array[v.original_key, v.markdown_key], null) as evidence
     from intake.documents d
     join intake.versions v on v.id = d.current_version_id
     join intake.attempts a on a.id = d.current_attempt_id
     where d.deleted_at is null and d.id > $1 order by d.id limit $2`,
    [page.after ?? FIRST, page.limit],
  );
  return rows.map((row) => ({
    documentId: row.id,
    ownerId: row.owner_id,
    updatedAt: row.updated_at,
    awaitsUpload: row.awaits_upload,
    evidence: row.evidence,
  }));
}

/** Those of the keys that no row knows. */
export async function unknownKeys(
  q: Queryable,
  keys: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await q.query<{ key: string }>(
    `select given.key from unnest($1::text[]) as given (key)
     where not exists (select from intake.objects o where o.key = given.key)`,
    [keys],
  );
  return rows.map(({ key }) => key);
}

/**
 * The key becomes one that verify looks at: it copies from there and believes nothing but size, type and SHA-256. The
 * confirm that goes with it brings the look forward.
 */
export async function adoptUpload(
  transaction: Queryable,
  { documentId, key }: { readonly documentId: DocumentId; readonly key: string },
): Promise<void> {
  const { rows } = await transaction.query<{ id: AttemptId }>(
    `insert into intake.objects (key, document_id, owner_id, attempt_id, kind, url_expires_at)
     select $2, d.id, d.owner_id, a.id, 'upload', now()
     from intake.documents d join intake.attempts a on a.id = d.current_attempt_id
     where d.id = $1 and d.deleted_at is null and a.status = 'awaiting_upload'
     on conflict (key) do nothing
     returning attempt_id as id`,
    [documentId, key],
  );
  if (rows[0]) await markConfirmed(transaction, rows[0].id);
}

/** Nobody writes a key of this document down while the transaction lasts. */
export async function lockDocument(transaction: Queryable, documentId: DocumentId): Promise<void> {
  await transaction.query('select from intake.documents where id = $1 for no key update', [
    documentId,
  ]);
}

/** Those of the ids that have a row, be it a tombstone. */
export async function knownDocuments(
  q: Queryable,
  documentIds: readonly DocumentId[],
): Promise<ReadonlySet<string>> {
  const { rows } = await q.query<{ id: string }>(
    'select id from intake.documents where id = any($1)',
    [documentIds],
  );
  return new Set(rows.map(({ id }) => id));
}
