/** Erasure of a tombstoned document's rows. Every statement asks for the tombstone, so that nothing alive can be erased. */
import type { DocumentId, OwnerId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface Tombstone {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly deletedAt: Date;
}

export async function findTombstone(
  q: Queryable,
  documentId: DocumentId,
): Promise<Tombstone | undefined> {
  const { rows } = await q.query<{ owner_id: OwnerId; deleted_at: Date }>(
    'select owner_id, deleted_at from intake.documents where id = $1 and deleted_at is not null',
    [documentId],
  );
  return rows[0] && { documentId, ownerId: rows[0].owner_id, deletedAt: rows[0].deleted_at };
}

const tombstoned =
  'exists (select from intake.documents d where d.id = $1 and d.deleted_at is not null)';

/** Chunks and vectors go with their generations. */
export async function eraseContent(transaction: Queryable, documentId: DocumentId): Promise<void> {
  await transaction.query(
    `delete from intake.generations where document_id = $1 and ${tombstoned}`,
    [documentId],
  );
}

/** Attempts, events and parse jobs go with their versions; the object keys stay no longer than their objects. */
export async function eraseRecords(transaction: Queryable, documentId: DocumentId): Promise<void> {
  await transaction.query(
    `update intake.documents set current_version_id = null, current_attempt_id = null where id = $1 and deleted_at is not null`,
    [documentId],
  );
  await transaction.query(`delete from intake.versions where document_id = $1 and ${tombstoned}`, [
    documentId,
  ]);
  await transaction.query(`delete from intake.objects where document_id = $1 and ${tombstoned}`, [
    documentId,
  ]);
}

const childTables = [
  'versions',
  'attempts',
  'events',
  'objects',
  'parse_jobs',
  'generations',
  'chunks',
  'vectors_384',
  'vectors_1536',
] as const;

/** Rows of the document besides its tombstone; 0 proves the erasure. */
export async function rowsLeft(q: Queryable, documentId: DocumentId): Promise<number> {
  const counts = childTables.map(
    (table) => `(select count(*) from intake.${table} where document_id = $1)`,
  );
  const { rows } = await q.query<{ left: string }>(`select ${counts.join(' + ')} as left`, [
    documentId,
  ]);
  return Number(rows[0]?.left ?? 0);
}

export async function markErased(q: Queryable, documentId: DocumentId): Promise<void> {
  await q.query(
    'update intake.documents set erased_at = now() where id = $1 and deleted_at is not null',
    [documentId],
  );
}
