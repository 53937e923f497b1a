/** What Intake writes for a document of the original system, and what is left to prove about it. */
import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptId, DocumentId, GenerationId, OwnerId, VersionId } from '../domain/ids.ts';
import type { Stage, TerminalStatus } from '../domain/ingestion.ts';
import type { MediaType } from '../domain/media-types.ts';
import type { OriginalChunks, OriginalSchema } from './original.ts';
import type { Queryable } from './pool.ts';

/** Below every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

export interface InheritedDocument {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly createdAt: Date;
  readonly textSearchConfig: string;
}

/** `undefined` when Intake has it by now, or the same content of this owner. */
export async function insertInherited(
  transaction: Queryable,
  document: InheritedDocument,
): Promise<VersionId | undefined> {
  const versionId = randomUUID() as VersionId;
  const { rowCount } = await transaction.query(
    `with made as (
       insert into intake.documents (id, owner_id, name, sha256, text_search_config, created_at)
       values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id, owner_id, sha256, created_at
     )
     insert into intake.versions (id, document_id, owner_id, number, sha256, size_bytes, media_type, created_at)
     select $7, id, owner_id, 1, sha256, $8, $9, created_at from made`,
    [
      document.documentId,
      document.ownerId,
      document.name,
      document.sha256,
      document.textSearchConfig,
      document.createdAt,
      versionId,
      document.sizeBytes,
      document.mediaType,
    ],
  );
  return rowCount === 1 ? versionId : undefined;
}

export interface EndedAttempt {
  readonly id: AttemptId;
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly status: TerminalStatus;
  readonly createdAt: Date;
  readonly endedAt: Date;
  readonly failure:
    | { readonly stage: Stage; readonly code: ErrorCode; readonly detail: string | undefined }
    | undefined;
}

/** An attempt that had ended before Intake came. */
export async function insertEnded(transaction: Queryable, attempt: EndedAttempt): Promise<void> {
  const { failure } = attempt;
  await transaction.query(
    `with ended as (
       insert into intake.attempts
         (id, document_id, owner_id, version_id, number, start_stage, status, correlation_id, failed_stage, error_code,
          error_detail, created_at, ended_at)
       values ($1, $2, $3, $4, 1, 'verify', $5, $6, $7, $8, $9, $10, $11)
       returning id, document_id, version_id
     )
     update intake.documents d set current_version_id = e.version_id, current_attempt_id = e.id
     from ended e where d.id = e.document_id`,
    [
      attempt.id,
      attempt.documentId,
      attempt.ownerId,
      attempt.versionId,
      attempt.status,
      randomUUID(),
      failure?.stage ?? null,
      failure?.code ?? null,
      failure?.detail ?? null,
      attempt.createdAt,
      attempt.endedAt,
    ],
  );
}

export interface InheritedKeys {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  /** Where the bytes may be, or may still come: verify looks there. */
  readonly raw: { readonly key: string; readonly urlExpiresAt: Date } | undefined;
  readonly parsed: string | undefined;
}

/** Two documents of one owner may have got the same key of eight digits: the first has it. */
export async function insertKeys(
  transaction: Queryable,
  { documentId, ownerId, raw, parsed }: InheritedKeys,
): Promise<void> {
  await transaction.query(
    `insert into intake.objects (key, document_id, owner_id, kind, url_expires_at, inherited)
     select key, $1, $2, kind, url_expires_at, true
     from (values ($3::text, 'upload', $4::timestamptz), ($5, 'parsed', null)) as given (key, kind, url_expires_at)
     where key is not null
     on conflict (key) do nothing`,
    [documentId, ownerId, raw?.key ?? null, raw?.urlExpiresAt ?? null, parsed ?? null],
  );
}

/** The index takes some 150 vectors of this width a second, and a statement has its time limit. */
const VECTORS_PER_STATEMENT = 500;

/** The original's vectors, each to the chunk at its place. */
export async function copyVectors(
  transaction: Queryable,
  schema: OriginalSchema,
  target: {
    readonly documentId: DocumentId;
    readonly generationId: GenerationId;
    readonly chunks: OriginalChunks;
    readonly count: number;
  },
): Promise<void> {
  const { documentId, generationId, chunks, count } = target;
  for (let from = 0; from < count; from += VECTORS_PER_STATEMENT) {
    await transaction.query(
      `insert into intake.vectors_1536 (chunk_id, generation_id, document_id, owner_id, embedding)
       select c.id, c.generation_id, c.document_id, c.owner_id, o.embedding
       from (select embedding, row_number() over (order by chunk_ord) - 1 as ordinal from ${schema}.document_chunks
             where document_id = $2 and chunker_name = $3 and chunker_version = $4) o
       join intake.chunks c on c.generation_id = $1 and c.ordinal = o.ordinal
       where o.ordinal >= $5 and o.ordinal < $6`,
      [
        ...[generationId, documentId, chunks.chunkerName, chunks.chunkerVersion],
        ...[from, from + VECTORS_PER_STATEMENT],
      ],
    );
  }
}

/** A version that ended before Intake came, and whose bytes nobody has compared with their hash yet. */
export interface Unproven {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly attemptId: AttemptId;
  readonly versionId: VersionId;
  readonly sha256: string;
  readonly mediaType: MediaType;
  readonly key: string;
}

export async function unprovenOriginals(
  q: Queryable,
  { after = FIRST, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly Unproven[]> {
  const { rows } = await q.query<{
    document_id: DocumentId;
    owner_id: OwnerId;
    attempt_id: AttemptId;
    version_id: VersionId;
    sha256: string;
    media_type: MediaType;
    key: string;
  }>(
    `select d.id as document_id, d.owner_id, a.id as attempt_id, v.id as version_id, v.sha256, v.media_type, o.key
     from intake.objects o
     join intake.documents d on d.id = o.document_id and d.deleted_at is null
     join intake.attempts a on a.id = d.current_attempt_id and a.ended_at is not null
     join intake.versions v on v.id = d.current_version_id and v.verified_at is null
     where o.inherited and o.kind = 'upload' and o.removed_at is null and d.id > $1
     order by d.id limit $2`,
    [after, limit],
  );
  return rows.map((row) => ({
    documentId: row.document_id,
    ownerId: row.owner_id,
    attemptId: row.attempt_id,
    versionId: row.version_id,
    sha256: row.sha256,
    mediaType: row.media_type,
    key: row.key,
  }));
}

/** A searchable version whose Markdown is still under the original's key only. */
export interface Unmoved {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly key: string;
  /** What its generation was made of. */
  readonly markdownSha256: string;
}

export async function unmovedMarkdowns(
  q: Queryable,
  { after = FIRST, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly Unmoved[]> {
  const { rows } = await q.query<{
    document_id: DocumentId;
    owner_id: OwnerId;
    version_id: VersionId;
    key: string;
    markdown_sha256: string;
  }>(
    `select d.id as document_id, d.owner_id, v.id as version_id, o.key, g.markdown_sha256
     from intake.objects o
     join intake.documents d on d.id = o.document_id and d.deleted_at is null
     join intake.generations g on g.id = d.live_generation_id
     join intake.versions v on v.id = g.version_id and v.parsed_at is null
     where o.inherited and o.kind = 'parsed' and o.removed_at is null and d.id > $1
     order by d.id limit $2`,
    [after, limit],
  );
  return rows.map((row) => ({
    documentId: row.document_id,
    ownerId: row.owner_id,
    versionId: row.version_id,
    key: row.key,
    markdownSha256: row.markdown_sha256,
  }));
}

/** The original kept no pages: the whole counts as one. */
export async function recordMoved(
  transaction: Queryable,
  { versionId, key: from }: Unmoved,
  markdown: { readonly key: string; readonly sha256: string; readonly bytes: number },
): Promise<void> {
  await transaction.query(
    `update intake.versions
     set markdown_key = $2, markdown_sha256 = $3, markdown_bytes = $4, page_offsets = '{0}', parsed_at = now()
     where id = $1`,
    [versionId, markdown.key, markdown.sha256, markdown.bytes],
  );
  await transaction.query('update intake.objects set removed_at = now() where key = $1', [from]);
}
