/** Documents: an owner's logical files. Commands lock in the order owner, document, attempt. */
import type { AttemptId, DocumentId, OwnerId, VersionId } from '../domain/ids.ts';
import type { Evidence, Stage, StartStage, Status } from '../domain/ingestion.ts';
import { initialStatus } from '../domain/ingestion.ts';
import type { MediaType } from '../domain/media-types.ts';
import { hasBegun } from './attempts.ts';
import { deriveDocumentId } from './derive-id.ts';
import type { Queryable } from './pool.ts';

/** What the caller says the file is; claims until verified. */
export interface Declaration {
  readonly name: string;
  readonly mediaType: MediaType;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A document with its current attempt, locked for the rest of the transaction. */
export interface HeldDocument {
  readonly id: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly attemptId: AttemptId;
  readonly attemptNumber: number;
  readonly status: Status;
  readonly correlationId: string;
  readonly runId: string | undefined;
  readonly uploadExpiresAt: Date | undefined;
  /** A worker has had its run in its hands, which an update can reach. */
  readonly hasBegun: boolean;
  /** As declared, or as verified. */
  readonly sizeBytes: number;
  readonly evidence: Evidence;
}

/** Serialises an owner's accepts: the same bytes uploaded twice at once meet here, and caps are counted right. */
export async function lockOwner(transaction: Queryable, ownerId: OwnerId): Promise<void> {
  await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [ownerId]);
}

export async function findLiveByContent(
  q: Queryable,
  ownerId: OwnerId,
  sha256: string,
): Promise<DocumentId | undefined> {
  const { rows } = await q.query<{ id: DocumentId }>(
    'select id from intake.documents where owner_id = $1 and sha256 = $2 and deleted_at is null',
    [ownerId, sha256],
  );
  return rows[0]?.id;
}

/** Locks a document of this owner that is not deleted; `undefined` for unknown, foreign and deleted ones alike. */
export async function holdDocument(
  transaction: Queryable,
  ownerId: OwnerId,
  documentId: DocumentId,
): Promise<HeldDocument | undefined> {
  const document = await transaction.query<{ current_attempt_id: AttemptId }>(
    `select current_attempt_id from intake.documents
     where id = $1 and owner_id = $2 and deleted_at is null for no key update`,
    [documentId, ownerId],
  );
  const attemptId = document.rows[0]?.current_attempt_id;
  if (!attemptId) return undefined;
  const { rows } = await transaction.query<HeldRow>(
    `select a.version_id, a.number, a.status, a.correlation_id, a.run_id, a.upload_expires_at, a.failed_stage,
            ${hasBegun} as has_begun,
            v.size_bytes, v.original_key is not null as verified, v.markdown_sha256 is not null as parsed
     from intake.attempts a join intake.versions v on v.id = a.version_id
     where a.id = $1 for no key update of a`,
    [attemptId],
  );
  const row = rows[0];
  return row && toHeldDocument(row, { id: documentId, ownerId, attemptId });
}

interface HeldRow {
  version_id: VersionId;
  number: number;
  status: Status;
  correlation_id: string;
  run_id: string | null;
  upload_expires_at: Date | null;
  has_begun: boolean;
  failed_stage: Stage | null;
  size_bytes: string;
  verified: boolean;
  parsed: boolean;
}

function toHeldDocument(
  row: HeldRow,
  ids: Pick<HeldDocument, 'id' | 'ownerId' | 'attemptId'>,
): HeldDocument {
  return {
    ...ids,
    versionId: row.version_id,
    attemptNumber: row.number,
    status: row.status,
    correlationId: row.correlation_id,
    runId: row.run_id ?? undefined,
    uploadExpiresAt: row.upload_expires_at ?? undefined,
    hasBegun: row.has_begun,
    sizeBytes: Number(row.size_bytes),
    evidence: {
      verified: row.verified,
      parsed: row.parsed,
      failedStage: row.failed_stage ?? undefined,
    },
  };
}

export interface NewDocument {
  readonly ownerId: OwnerId;
  readonly declaration: Declaration;
  readonly versionId: VersionId;
}

/** Inserts document and first version under the first incarnation whose id no tombstone has taken. */
export async function insertDocument(
  transaction: Queryable,
  { ownerId, declaration, versionId }: NewDocument,
): Promise<DocumentId> {
  for (let incarnation = 1; ; incarnation += 1) {
    const id = deriveDocumentId(ownerId, declaration.sha256, incarnation);
    const { rowCount } = await transaction.query(
      `with made as (
         insert into intake.documents (id, owner_id, incarnation, name, sha256) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing returning id, owner_id, sha256
       )
       insert into intake.versions (id, document_id, owner_id, number, sha256, size_bytes, media_type)
       select $6, id, owner_id, 1, sha256, $7, $8 from made`,
      [
        id,
        ownerId,
        incarnation,
        declaration.name,
        declaration.sha256,
        versionId,
        declaration.sizeBytes,
        declaration.mediaType,
      ],
    );
    if (rowCount === 1) return id;
  }
}

/** A new declaration of the same content: the name is the latest; size and type count until they are verified. */
export async function redeclare(
  transaction: Queryable,
  held: HeldDocument,
  declaration: Declaration,
): Promise<void> {
  await transaction.query(
    'update intake.documents set name = $2, updated_at = now() where id = $1',
    [held.id, declaration.name],
  );
  await transaction.query(
    'update intake.versions set size_bytes = $2, media_type = $3 where id = $1 and verified_at is null',
    [held.versionId, declaration.sizeBytes, declaration.mediaType],
  );
}

export interface NewAttempt {
  readonly id: AttemptId;
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly number: number;
  readonly startStage: StartStage;
  readonly correlationId: string;
  readonly uploadExpiresAt: Date;
  /** The bytes are known to be there: nobody needs to confirm. */
  readonly confirmed: boolean;
}

/** The new attempt supersedes the one before: from here on only its run may write. */
export async function insertAttempt(transaction: Queryable, attempt: NewAttempt): Promise<void> {
  await transaction.query(
    `with opened as (
       insert into intake.attempts
         (id, document_id, owner_id, version_id, number, start_stage, status, correlation_id, upload_expires_at, confirmed_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then now() end)
       returning id, document_id, version_id
     )
     update intake.documents d set current_version_id = o.version_id, current_attempt_id = o.id, updated_at = now()
     from opened o where d.id = o.document_id`,
    [
      attempt.id,
      attempt.documentId,
      attempt.ownerId,
      attempt.versionId,
      attempt.number,
      attempt.startStage,
      initialStatus[attempt.startStage],
      attempt.correlationId,
      attempt.uploadExpiresAt,
      attempt.confirmed,
    ],
  );
}

export interface UnfinishedUploads {
  readonly uploads: number;
  readonly bytes: number;
}

export async function unfinishedUploads(
  q: Queryable,
  ownerId: OwnerId,
): Promise<UnfinishedUploads> {
  const { rows } = await q.query<{ uploads: string; bytes: string }>(
    `select count(*) as uploads, coalesce(sum(v.size_bytes), 0) as bytes
     from intake.attempts a join intake.versions v on v.id = a.version_id
     where a.owner_id = $1 and a.status = 'awaiting_upload'`,
    [ownerId],
  );
  return { uploads: Number(rows[0]?.uploads ?? 0), bytes: Number(rows[0]?.bytes ?? 0) };
}

/** Leaves a tombstone: out of search and lists at once, without name and hash. */
export async function buryDocument(transaction: Queryable, documentId: DocumentId): Promise<void> {
  await transaction.query(
    `update intake.documents
     set deleted_at = now(), live_generation_id = null, name = '', sha256 = null, updated_at = now()
     where id = $1 and deleted_at is null`,
    [documentId],
  );
}

export async function setTextSearchConfig(
  transaction: Queryable,
  documentId: DocumentId,
  config: string,
): Promise<void> {
  await transaction.query('update intake.documents set text_search_config = $2 where id = $1', [
    documentId,
    config,
  ]);
}
