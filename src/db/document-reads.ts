/** What a caller may read of its documents. Every function runs inside `asOwner`: row-level security decides. */
import type { ErrorCode } from '../domain/errors.ts';
import type { DocumentId } from '../domain/ids.ts';
import type { Stage, Status } from '../domain/ingestion.ts';
import type { Queryable } from './pool.ts';

export interface DocumentRecord {
  readonly id: DocumentId;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly status: Status;
  readonly failedStage: Stage | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly waitingCode: ErrorCode | undefined;
  readonly waitingSince: Date | undefined;
  readonly nextTryAt: Date | undefined;
  readonly deadlineAt: Date | undefined;
  readonly confirmedAt: Date | undefined;
  readonly searchable: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | undefined;
  readonly runId: string | undefined;
  readonly correlationId: string;
  readonly pages: number | undefined;
  readonly failedPages: readonly number[];
  readonly chunks: number | undefined;
  readonly originalKey: string | undefined;
  readonly markdownKey: string | undefined;
  readonly markdownBytes: number | undefined;
}

interface DocumentRow {
  id: DocumentId;
  name: string;
  media_type: string;
  size_bytes: string;
  sha256: string;
  status: Status;
  failed_stage: Stage | null;
  error_code: ErrorCode | null;
  waiting_code: ErrorCode | null;
  waiting_since: Date | null;
  next_try_at: Date | null;
  deadline_at: Date | null;
  confirmed_at: Date | null;
  searchable: boolean;
  created_at: Date;
  updated_at: Date;
  ended_at: Date | null;
  run_id: string | null;
  correlation_id: string;
  page_count: number | null;
  failed_pages: number[];
  chunk_count: number | null;
  original_key: string | null;
  markdown_key: string | null;
  markdown_bytes: string | null;
}

/** While an attempt waits for its bytes, the row's deadline is when the upload expires. */
const selection = `
  select d.id, d.name, v.media_type, v.size_bytes, v.sha256, a.status, a.failed_stage, a.error_code,
         a.waiting_code, a.waiting_since, a.next_try_at, a.confirmed_at,
         case when a.status = 'awaiting_upload' then a.upload_expires_at else a.deadline_at end as deadline_at,
         d.live_generation_id is not null as searchable, d.created_at, greatest(d.updated_at, a.updated_at) as updated_at,
         a.ended_at, a.run_id, a.correlation_id, v.page_count, v.failed_pages,
         (select g.chunk_count from intake.generations g where g.version_id = v.id order by g.created_at desc limit 1) as chunk_count,
         v.original_key, v.markdown_key, v.markdown_bytes
  from intake.documents d
  join intake.attempts a on a.id = d.current_attempt_id
  join intake.versions v on v.id = a.version_id
  where d.deleted_at is null`;

function toDocument(row: DocumentRow): DocumentRecord {
  return {
    id: row.id,
    name: row.name,
    mediaType: row.media_type,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256,
    status: row.status,
    failedStage: row.failed_stage ?? undefined,
    errorCode: row.error_code ?? undefined,
    waitingCode: row.waiting_code ?? undefined,
    waitingSince: row.waiting_since ?? undefined,
    nextTryAt: row.next_try_at ?? undefined,
    deadlineAt: row.deadline_at ?? undefined,
    confirmedAt: row.confirmed_at ?? undefined,
    searchable: row.searchable,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at ?? undefined,
    runId: row.run_id ?? undefined,
    correlationId: row.correlation_id,
    pages: row.page_count ?? undefined,
    failedPages: row.failed_pages,
    chunks: row.chunk_count ?? undefined,
    originalKey: row.original_key ?? undefined,
    markdownKey: row.markdown_key ?? undefined,
    markdownBytes: row.markdown_bytes === null ? undefined : Number(row.markdown_bytes),
  };
}

export async function findDocument(
  q: Queryable,
  documentId: DocumentId,
): Promise<DocumentRecord | undefined> {
  const { rows } = await q.query<DocumentRow>(`${selection} and d.id = $1`, [documentId]);
  return rows[0] && toDocument(rows[0]);
}

export interface Listing {
  readonly status: Status | undefined;
  /** Only what is on its road. */
  readonly unfinished?: boolean | undefined;
  readonly limit: number;
  /** The last document of the page before. */
  readonly after: DocumentId | undefined;
  /** How the ids begin; hexadecimal digits and dashes. */
  readonly idPrefix: string | undefined;
}

/** Newest first; ties by id, so that pages are stable. */
export async function listDocuments(
  q: Queryable,
  { status, unfinished = false, limit, after, idPrefix }: Listing,
): Promise<readonly DocumentRecord[]> {
  const { rows } = await q.query<DocumentRow>(
    `${selection}
       and ($1::text is null or a.status = $1)
       and (not $5 or a.ended_at is null)
       and ($2::uuid is null or (d.created_at, d.id) < (select c.created_at, c.id from intake.documents c where c.id = $2))
       and ($4::text is null or d.id::text like $4 || '%')
     order by d.created_at desc, d.id desc
     limit $3`,
    [status ?? null, after ?? null, limit, idPrefix ?? null, unfinished],
  );
  return rows.map(toDocument);
}

export interface AttemptRecord {
  readonly number: number;
  readonly status: Status;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly errorCode: ErrorCode | undefined;
}

export async function attemptsOf(
  q: Queryable,
  documentId: DocumentId,
): Promise<readonly AttemptRecord[]> {
  const { rows } = await q.query<{
    number: number;
    status: Status;
    created_at: Date;
    ended_at: Date | null;
    error_code: ErrorCode | null;
  }>(
    'select number, status, created_at, ended_at, error_code from intake.attempts where document_id = $1 order by number',
    [documentId],
  );
  return rows.map((row) => ({
    number: row.number,
    status: row.status,
    startedAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
    errorCode: row.error_code ?? undefined,
  }));
}

export interface EventRecord {
  readonly at: Date;
  readonly attempt: number;
  readonly kind: 'status' | 'wait' | 'race' | 'command';
  readonly status: Status | undefined;
  readonly code: ErrorCode | undefined;
  /** What was asked for: cancel, retry, delete, poll, extend, fail. */
  readonly command: string | undefined;
  readonly actor: string | undefined;
  readonly selfDeclared: boolean | undefined;
  readonly reason: string | undefined;
}

const MAX_EVENTS = 500;

/** The newest events, oldest first. */
export async function timelineOf(
  q: Queryable,
  documentId: DocumentId,
): Promise<readonly EventRecord[]> {
  const { rows } = await q.query<{
    at: Date;
    number: number;
    kind: EventRecord['kind'];
    status: Status | null;
    code: ErrorCode | null;
    command: string | null;
    actor: string | null;
    self_declared: boolean | null;
    reason: string | null;
  }>(
    `select e.at, a.number, e.kind, e.status, e.code, e.actor, e.reason,
            case when e.kind = 'command' then e.detail end as command,
            case when e.kind = 'command' then e.self_declared end as self_declared
     from intake.events e join intake.attempts a on a.id = e.attempt_id
     where e.document_id = $1 order by e.id desc limit ${MAX_EVENTS}`,
    [documentId],
  );
  return rows.toReversed().map((row) => ({
    at: row.at,
    attempt: row.number,
    kind: row.kind,
    status: row.status ?? undefined,
    code: row.code ?? undefined,
    command: row.command ?? undefined,
    actor: row.actor ?? undefined,
    selfDeclared: row.self_declared ?? undefined,
    reason: row.reason ?? undefined,
  }));
}
