/**
 * accept: rows are committed, the run is started, its id stamped, an upload URL for a fresh key answered. A second
 * call for the same bytes answers by state: joined, running or complete, new attempt, or (after a delete) new incarnation.
 */
import { randomUUID } from 'node:crypto';
import {
  type Declaration,
  findLiveByContent,
  type HeldDocument,
  holdDocument,
  insertAttempt,
  insertDocument,
  lockOwner,
  redeclare,
  unfinishedUploads,
} from '../../db/documents.ts';
import { countLiveUrls, issueUploadKey, noteUrlExpiry } from '../../db/objects.ts';
import { inTransaction, type Pool, type Queryable } from '../../db/pool.ts';
import { IntakeError } from '../../domain/errors.ts';
import type { AttemptId, DocumentId, VersionId } from '../../domain/ids.ts';
import {
  initialStatus,
  isTerminal,
  type StartStage,
  startStageFor,
} from '../../domain/ingestion.ts';
import { correlate } from '../../observability/correlation.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { RunRequest, Runs } from '../../temporal/runs.ts';
import type { AcceptedDocument, AcceptedUpload, Caller } from '../dependencies.ts';
import { startAttempt } from './start-attempt.ts';

/** Every call while the bytes are awaited gets a URL of its own; nobody needs more of them at a time. */
const MAX_LIVE_URLS = 20;

export interface AcceptSettings {
  readonly maxFileBytes: number;
  readonly maxUnfinishedUploads: number;
  readonly maxReservedBytes: number;
  readonly uploadLifetimeMs: number;
  readonly uploadUrlLifetimeMs: number;
}

export interface AcceptDependencies {
  readonly pool: Pool;
  readonly runs: Runs;
  readonly objectStore: ObjectStore;
  readonly settings: AcceptSettings;
  readonly logger: Logger;
}

interface UploadKey {
  readonly key: string;
  /** As written down with the key, before the URL was issued. */
  readonly urlExpiresAt: Date;
}

export interface Acceptance extends AcceptedDocument {
  /** Where to upload to; absent when the bytes are here already. */
  readonly upload: UploadKey | undefined;
  readonly uploadExpiresAt: Date;
  /** The run to start; absent when one is there. */
  readonly run: RunRequest | undefined;
}

export async function acceptUpload(
  dependencies: AcceptDependencies,
  caller: Caller,
  declaration: Declaration,
): Promise<AcceptedUpload> {
  const acceptance = await commitAcceptance(dependencies, caller, declaration);
  const [upload] = await Promise.all([
    signedUpload(dependencies, acceptance),
    acceptance.run && startAttempt(dependencies.pool, dependencies.runs, acceptance.run),
  ]);
  const { documentId, status, created } = acceptance;
  return { documentId, status, created, upload };
}

/** The committed part of an accept: rows only, nothing outside of Postgres. */
export async function commitAcceptance(
  { pool, settings }: AcceptDependencies,
  caller: Caller,
  declaration: Declaration,
): Promise<Acceptance> {
  if (declaration.sizeBytes === 0) throw new IntakeError('EMPTY_FILE');
  if (declaration.sizeBytes > settings.maxFileBytes) throw new IntakeError('DOCUMENT_TOO_LARGE');
  return await inTransaction(pool, async (transaction) => {
    await lockOwner(transaction, caller.ownerId);
    const existing = await findLiveByContent(transaction, caller.ownerId, declaration.sha256);
    const held = existing && (await holdDocument(transaction, caller.ownerId, existing));
    if (!held) return await firstAttempt(transaction, { caller, declaration, settings });
    if (held.status === 'awaiting_upload')
      return await join(transaction, { held, declaration, settings });
    if (!isTerminal(held.status) || held.status === 'complete') return answered(held);
    await redeclare(transaction, held, declaration);
    return await nextAttempt(transaction, {
      held,
      caller,
      settings,
      sizeBytes: declaration.sizeBytes,
      confirmed: false,
    });
  });
}

async function firstAttempt(
  transaction: Queryable,
  {
    caller,
    declaration,
    settings,
  }: {
    readonly caller: Caller;
    readonly declaration: Declaration;
    readonly settings: AcceptSettings;
  },
): Promise<Acceptance> {
  const versionId = randomUUID() as VersionId;
  await requireRoom(transaction, { caller, settings, sizeBytes: declaration.sizeBytes });
  const documentId = await insertDocument(transaction, {
    ownerId: caller.ownerId,
    declaration,
    versionId,
  });
  return await openAttempt(transaction, {
    caller,
    settings,
    documentId,
    versionId,
    number: 1,
    startStage: 'verify',
    confirmed: false,
  });
}

/** A new attempt starts as late as the evidence of earlier ones allows. */
export async function nextAttempt(
  transaction: Queryable,
  {
    held,
    caller,
    settings,
    sizeBytes,
    confirmed,
  }: {
    readonly held: HeldDocument;
    readonly caller: Caller;
    readonly settings: AcceptSettings;
    readonly sizeBytes: number;
    /** The bytes may be there already: look at once. */
    readonly confirmed: boolean;
  },
): Promise<Acceptance> {
  const startStage = startStageFor(held.evidence);
  if (startStage === 'verify') await requireRoom(transaction, { caller, settings, sizeBytes });
  return await openAttempt(transaction, {
    caller,
    settings,
    documentId: held.id,
    versionId: held.versionId,
    number: held.attemptNumber + 1,
    startStage,
    confirmed,
  });
}

interface Opening {
  readonly caller: Caller;
  readonly settings: AcceptSettings;
  readonly documentId: DocumentId;
  readonly versionId: VersionId;
  readonly number: number;
  readonly startStage: StartStage;
  readonly confirmed: boolean;
}

async function openAttempt(
  transaction: Queryable,
  { caller, settings, documentId, versionId, number, startStage, confirmed }: Opening,
): Promise<Acceptance> {
  const { ownerId, correlationId } = caller;
  correlate(correlationId, { begins: true });
  const attemptId = randomUUID() as AttemptId;
  const uploadExpiresAt = new Date(Date.now() + settings.uploadLifetimeMs);
  await insertAttempt(transaction, {
    id: attemptId,
    documentId,
    ownerId,
    versionId,
    number,
    startStage,
    correlationId,
    uploadExpiresAt,
    confirmed,
  });
  const upload =
    startStage === 'verify'
      ? await issueKey(transaction, { documentId, ownerId, attemptId, settings })
      : undefined;
  return {
    documentId,
    status: initialStatus[startStage],
    created: true,
    upload,
    uploadExpiresAt,
    run: {
      documentId,
      attemptId,
      ownerId,
      attemptNumber: number,
      startStage,
      uploadExpiresAt,
      confirmed,
    },
  };
}

/** Waiting for the bytes: the caller joins, with a key of its own. */
async function join(
  transaction: Queryable,
  {
    held,
    declaration,
    settings,
  }: {
    readonly held: HeldDocument;
    readonly declaration: Declaration;
    readonly settings: AcceptSettings;
  },
): Promise<Acceptance> {
  const { id: documentId, ownerId, attemptId, status } = held;
  if ((await countLiveUrls(transaction, attemptId)) >= MAX_LIVE_URLS) {
    throw new IntakeError('UPLOAD_QUOTA_EXCEEDED', {
      detail: `${MAX_LIVE_URLS} upload URLs of one file`,
    });
  }
  const moreBytes = declaration.sizeBytes - held.sizeBytes;
  if (moreBytes > 0)
    await requireRoom(transaction, { caller: held, settings, sizeBytes: moreBytes });
  await redeclare(transaction, held, declaration);
  const upload = await issueKey(transaction, { documentId, ownerId, attemptId, settings });
  return { ...answered(held), status, upload };
}

/** Running or complete: the row answers. */
function answered(held: HeldDocument): Acceptance {
  return {
    documentId: held.id,
    status: held.status,
    created: false,
    upload: undefined,
    uploadExpiresAt: held.uploadExpiresAt ?? new Date(0),
    run: undefined,
  };
}

async function issueKey(
  transaction: Queryable,
  place: Pick<RunRequest, 'documentId' | 'ownerId' | 'attemptId'> & {
    readonly settings: AcceptSettings;
  },
): Promise<UploadKey> {
  const urlExpiresAt = new Date(Date.now() + place.settings.uploadUrlLifetimeMs);
  return { key: await issueUploadKey(transaction, { ...place, urlExpiresAt }), urlExpiresAt };
}

async function requireRoom(
  transaction: Queryable,
  {
    caller,
    settings,
    sizeBytes,
  }: {
    readonly caller: Pick<Caller, 'ownerId'>;
    readonly settings: AcceptSettings;
    readonly sizeBytes: number;
  },
): Promise<void> {
  const { uploads, bytes } = await unfinishedUploads(transaction, caller.ownerId);
  if (uploads >= settings.maxUnfinishedUploads || bytes + sizeBytes > settings.maxReservedBytes) {
    throw new IntakeError('UPLOAD_QUOTA_EXCEEDED', {
      detail: `${uploads} uploads, ${bytes} bytes`,
    });
  }
}

async function signedUpload(
  { pool, objectStore }: AcceptDependencies,
  { upload, uploadExpiresAt }: Acceptance,
): Promise<AcceptedUpload['upload']> {
  if (upload === undefined) return undefined;
  const { url, expiresAt: urlExpiresAt } = await objectStore.signUpload(upload.key);
  if (urlExpiresAt > upload.urlExpiresAt) await noteUrlExpiry(pool, upload.key, urlExpiresAt);
  return { url, urlExpiresAt, expiresAt: uploadExpiresAt };
}
