/** Documents at any point of their life, made by the same statements as in production. */
import { createHash, randomUUID } from 'node:crypto';
import { type Attempt, advance, type Fence, holdAttempt } from '../../src/db/attempts.ts';
import { insertAttempt, insertDocument } from '../../src/db/documents.ts';
import { inTransaction, type Pool } from '../../src/db/pool.ts';
import { recordVerified } from '../../src/db/versions.ts';
import type { AttemptId, DocumentId, OwnerId, VersionId } from '../../src/domain/ids.ts';
import { type Status, statuses } from '../../src/domain/ingestion.ts';

export function someOwner(): OwnerId {
  return randomUUID() as OwnerId;
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface TestDocument extends Fence {
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
}

interface Options {
  readonly ownerId?: OwnerId;
  readonly content?: string;
  readonly status?: Status;
}

/** A document whose first attempt is claimed by a run and stands at `status` (the main line up to it has happened). */
export async function makeDocument(pool: Pool, options: Options = {}): Promise<TestDocument> {
  const { ownerId = someOwner(), content = randomUUID(), status = 'awaiting_upload' } = options;
  const versionId = randomUUID() as VersionId;
  const attemptId = randomUUID() as AttemptId;
  return await inTransaction(pool, async (transaction) => {
    const documentId = await insertDocument(transaction, {
      ownerId,
      versionId,
      declaration: {
        name: 'a.txt',
        mediaType: 'text/plain',
        sizeBytes: content.length,
        sha256: sha256(content),
      },
    });
    await insertAttempt(transaction, {
      id: attemptId,
      documentId,
      ownerId,
      versionId,
      number: 1,
      startStage: 'verify',
      correlationId: randomUUID(),
      uploadExpiresAt: new Date(Date.now() + 3_600_000),
      confirmed: false,
    });
    const document = { documentId, attemptId, ownerId, versionId, runId: randomUUID() };
    const attempt = await holdAttempt(transaction, document);
    if (status !== 'awaiting_upload') {
      await recordVerified(
        transaction,
        attempt.version,
        `originals/${ownerId}/${documentId}/${randomUUID()}`,
      );
    }
    await advance(transaction, attempt, statuses.slice(1, statuses.indexOf(status) + 1));
    return document;
  });
}

/** A second attempt, which supersedes the first; its run has not claimed it yet. */
export async function supersede(pool: Pool, document: TestDocument): Promise<TestDocument> {
  const attemptId = randomUUID() as AttemptId;
  await inTransaction(pool, (transaction) =>
    insertAttempt(transaction, {
      ...document,
      id: attemptId,
      number: 2,
      startStage: 'verify',
      correlationId: randomUUID(),
      uploadExpiresAt: new Date(Date.now() + 3_600_000),
      confirmed: false,
    }),
  );
  return { ...document, attemptId, runId: randomUUID() };
}

export async function statusOf(
  pool: Pool,
  { attemptId }: { readonly attemptId: AttemptId },
): Promise<Status | undefined> {
  const { rows } = await pool.query<{ status: Status }>(
    'select status from intake.attempts where id = $1',
    [attemptId],
  );
  return rows[0]?.status;
}

export async function attemptOf(pool: Pool, document: TestDocument): Promise<Attempt> {
  return await inTransaction(pool, (transaction) => holdAttempt(transaction, document));
}

export async function eventsOf(pool: Pool, documentId: DocumentId): Promise<readonly string[]> {
  const { rows } = await pool.query<{ word: string }>(
    'select coalesce(status, code, detail) as word from intake.events where document_id = $1 order by id',
    [documentId],
  );
  return rows.map((row) => row.word);
}
