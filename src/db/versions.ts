/** Versions: the evidence about one content. Written inside the transaction that holds the attempt. */
import type { ParseJobId, VersionId } from '../domain/ids.ts';
import type { Version } from './attempts.ts';
import { expireCompleted } from './parse-jobs.ts';
import type { Queryable } from './pool.ts';

/** The private copy equals what was declared; a later declaration changes nothing of it. */
export async function recordVerified(
  transaction: Queryable,
  verified: Pick<Version, 'id' | 'sizeBytes' | 'mediaType'>,
  originalKey: string,
): Promise<void> {
  await transaction.query(
    `update intake.versions set original_key = $2, size_bytes = $3, media_type = $4, verified_at = now() where id = $1`,
    [verified.id, originalKey, verified.sizeBytes, verified.mediaType],
  );
}

/** The verified bytes are gone: the evidence falls, so that the next attempt asks for an upload. */
export async function revokeVerified(transaction: Queryable, versionId: VersionId): Promise<void> {
  await transaction.query(
    'update intake.versions set original_key = null, verified_at = null where id = $1',
    [versionId],
  );
}

export interface StoredMarkdown {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly pageCount: number;
  /** Start of page 1..n in the Markdown, in UTF-16 code units. */
  readonly pageOffsets: readonly number[];
  readonly failedPages: readonly number[];
  readonly parsedBy: ParseJobId;
}

export async function recordParsed(
  transaction: Queryable,
  versionId: VersionId,
  markdown: StoredMarkdown,
): Promise<void> {
  await transaction.query(
    `update intake.versions
     set markdown_key = $2, markdown_sha256 = $3, markdown_bytes = $4, page_count = $5, page_offsets = $6,
         failed_pages = $7, parsed_by = $8, parsed_at = now()
     where id = $1`,
    [
      versionId,
      markdown.key,
      markdown.sha256,
      markdown.bytes,
      markdown.pageCount,
      markdown.pageOffsets,
      markdown.failedPages,
      markdown.parsedBy,
    ],
  );
}

/** The stored Markdown is gone: the evidence falls and with it the jobs that made it, so that the document is parsed again. */
export async function revokeParsed(transaction: Queryable, versionId: VersionId): Promise<void> {
  await transaction.query(
    `update intake.versions
     set markdown_key = null, markdown_sha256 = null, markdown_bytes = null, parsed_by = null, parsed_at = null
     where id = $1`,
    [versionId],
  );
  await expireCompleted(transaction, versionId);
}
