/** Object keys, written down before the first byte goes there. Keys are ids, ASCII only; file names never enter one. */
import { randomUUID } from 'node:crypto';
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface Place {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
}

/** Prefixes under which every object of a document lies. */
export function objectPrefixes({ ownerId, documentId }: Place): readonly string[] {
  return ['uploads', 'originals', 'parsed'].map((root) => `${root}/${ownerId}/${documentId}/`);
}

/** A fresh key for which an upload URL will be issued. */
export async function issueUploadKey(
  q: Queryable,
  place: Place & { readonly attemptId: AttemptId; readonly urlExpiresAt: Date },
): Promise<string> {
  const key = `uploads/${place.ownerId}/${place.documentId}/${randomUUID()}`;
  await q.query(
    `insert into intake.objects (key, document_id, owner_id, attempt_id, kind, url_expires_at)
     values ($1, $2, $3, $4, 'upload', $5)`,
    [key, place.documentId, place.ownerId, place.attemptId, place.urlExpiresAt],
  );
  return key;
}

/** The store's own word on how long the URL lives. */
export async function noteUrlExpiry(q: Queryable, key: string, expiresAt: Date): Promise<void> {
  await q.query(
    'update intake.objects set url_expires_at = greatest(url_expires_at, $2) where key = $1',
    [key, expiresAt],
  );
}

/** A fresh private key, for which no URL is ever issued. */
export async function reserveOriginalKey(
  q: Queryable,
  place: Place & { readonly attemptId: AttemptId },
): Promise<string> {
  const key = `originals/${place.ownerId}/${place.documentId}/${randomUUID()}`;
  await q.query(
    `insert into intake.objects (key, document_id, owner_id, attempt_id, kind) values ($1, $2, $3, $4, 'original')`,
    [key, place.documentId, place.ownerId, place.attemptId],
  );
  return key;
}

/** The key of a Markdown follows from its hash, so that a repeated write meets itself. */
export async function reserveMarkdownKey(
  q: Queryable,
  place: Place,
  sha256: string,
): Promise<string> {
  const key = `parsed/${place.ownerId}/${place.documentId}/${sha256}.md`;
  await q.query(
    `insert into intake.objects (key, document_id, owner_id, kind) values ($1, $2, $3, 'parsed')
     on conflict (key) do update set removed_at = null`,
    [key, place.documentId, place.ownerId],
  );
  return key;
}

/**
 * Upload keys that may hold the bytes, newest first; those of earlier attempts too, unless they were looked at and
 * done with: what was uploaded while storage was down still counts.
 */
export async function uploadKeys(q: Queryable, documentId: DocumentId): Promise<readonly string[]> {
  const { rows } = await q.query<{ key: string }>(
    `select key from intake.objects where document_id = $1 and kind = 'upload' and removed_at is null
     order by created_at desc, key`,
    [documentId],
  );
  return rows.map((row) => row.key);
}

/**
 * Done with: nobody looks there any more. The outbox sweep removes them again, were they swept before or not. Answers
 * those that may go at once: what an original installation wrote stays for its roll-back.
 */
export async function markRemoved(
  q: Queryable,
  keys: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await q.query<MarkedRow>(
    `update intake.objects set removed_at = now(), swept_at = null where key = any($1) returning ${marked}`,
    [keys],
  );
  return removable(rows);
}

interface MarkedRow {
  key: string;
  inherited: boolean;
}

const marked = 'key, inherited';

function removable(rows: readonly MarkedRow[]): readonly string[] {
  return rows.filter(({ inherited }) => !inherited).map(({ key }) => key);
}

/** A reserved key to which certainly nothing was copied. */
export async function releaseKey(q: Queryable, key: string): Promise<void> {
  await q.query('delete from intake.objects where key = $1', [key]);
}

/**
 * The document is verified: done with is every key that an upload URL was issued for, also while verify ran, and every
 * private copy but the verified one. Answers the keys that were not done with before and may go.
 */
export async function retireAllBut(
  transaction: Queryable,
  documentId: DocumentId,
  originalKey: string,
): Promise<readonly string[]> {
  const { rows } = await transaction.query<MarkedRow>(
    `update intake.objects set removed_at = now()
     where document_id = $1 and kind in ('upload', 'original') and key <> $2 and removed_at is null
     returning ${marked}`,
    [documentId, originalKey],
  );
  return removable(rows);
}

/** Private copies of an attempt that ends before one was verified. Its upload keys stay: the next attempt looks there. */
export async function retireCopies(transaction: Queryable, attemptId: AttemptId): Promise<void> {
  await transaction.query(
    `update intake.objects set removed_at = now()
     where attempt_id = $1 and kind = 'original' and removed_at is null
       and exists (select from intake.attempts a where a.id = $1 and a.status = 'awaiting_upload')`,
    [attemptId],
  );
}

export interface DocumentObjects {
  readonly keys: readonly string[];
  /** When the last URL into this document's keys can no longer be used; the epoch when none was issued. */
  readonly urlsExpireAt: Date;
}

/** Every key a document ever had, removed ones included: an upload URL may have brought one back. */
export async function objectsOf(q: Queryable, documentId: DocumentId): Promise<DocumentObjects> {
  const { rows } = await q.query<{ key: string; url_expires_at: Date | null }>(
    'select key, url_expires_at from intake.objects where document_id = $1',
    [documentId],
  );
  const expiries = rows.map((row) => row.url_expires_at?.getTime() ?? 0);
  return { keys: rows.map((row) => row.key), urlsExpireAt: new Date(Math.max(0, ...expiries)) };
}

/** Keys that are done with and whose upload URL, if there was one, can no longer be used. */
export async function unsweptObjects(q: Queryable, limit: number): Promise<readonly string[]> {
  const { rows } = await q.query<{ key: string }>(
    `select key from intake.objects
     where removed_at is not null and swept_at is null and not inherited
       and coalesce(url_expires_at, removed_at) < now()
     order by url_expires_at nulls first limit $1`,
    [limit],
  );
  return rows.map((row) => row.key);
}

export async function markSwept(q: Queryable, keys: readonly string[]): Promise<void> {
  await q.query('update intake.objects set swept_at = now() where key = any($1)', [keys]);
}

/** How many upload URLs of an attempt may still be used. */
export async function countLiveUrls(q: Queryable, attemptId: AttemptId): Promise<number> {
  const { rows } = await q.query<{ live: number }>(
    `select count(*)::int as live from intake.objects
     where attempt_id = $1 and kind = 'upload' and removed_at is null and url_expires_at > now()`,
    [attemptId],
  );
  return rows[0]?.live ?? 0;
}
