/** Reads for a caller, under the caller's own rights. */

import {
  attemptsOf,
  type DocumentRecord,
  findDocument,
  listDocuments as listRecords,
  timelineOf,
} from '../../db/document-reads.ts';
import { unfinishedUploads } from '../../db/documents.ts';
import { asOwner, type Pool } from '../../db/pool.ts';
import { IntakeError } from '../../domain/errors.ts';
import type { DocumentId } from '../../domain/ids.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type {
  Caller,
  DocumentDetail,
  DocumentFacts,
  DocumentFilter,
  DocumentPage,
  StoredFile,
  Usage,
} from '../dependencies.ts';
import { type RunLinks, runUrl } from './run-links.ts';

export interface ReadDependencies {
  readonly pool: Pool;
  readonly objectStore: ObjectStore;
  /** Temporal UI and namespace for links to runs; `undefined` when no UI is known. */
  readonly runLinks: RunLinks | undefined;
  readonly settings: {
    readonly maxFileBytes: number;
    readonly maxMarkdownBytes: number;
    readonly maxPages: number;
    readonly maxUnfinishedUploads: number;
    readonly maxReservedBytes: number;
  };
}

export async function listDocuments(
  dependencies: ReadDependencies,
  caller: Caller,
  filter: DocumentFilter,
): Promise<DocumentPage> {
  const records = await asOwner(dependencies.pool, caller.ownerId, (transaction) =>
    listRecords(transaction, { ...filter, limit: filter.limit + 1 }),
  );
  const page = records.slice(0, filter.limit);
  return {
    documents: page.map((record) => toFacts(dependencies, record)),
    next: records.length > filter.limit ? page.at(-1)?.id : undefined,
  };
}

export async function documentDetail(
  dependencies: ReadDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<DocumentDetail> {
  return await asOwner(dependencies.pool, caller.ownerId, async (transaction) => {
    const record = await findDocument(transaction, documentId);
    if (!record) throw new IntakeError('NOT_FOUND');
    const { sha256, correlationId, pages, failedPages, chunks } = record;
    return {
      ...toFacts(dependencies, record),
      sha256,
      correlationId,
      pages,
      failedPages,
      chunks,
      attempts: await attemptsOf(transaction, documentId),
      timeline: await timelineOf(transaction, documentId),
    };
  });
}

export async function openOriginal(
  dependencies: ReadDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<StoredFile> {
  const record = await ownDocument(dependencies, caller, documentId);
  if (record.originalKey === undefined) throw new IntakeError('NOT_POSSIBLE_NOW');
  const { maxFileBytes: maxBytes } = dependencies.settings;
  const content = await dependencies.objectStore.read(record.originalKey, { maxBytes });
  return { name: record.name, mediaType: record.mediaType, sizeBytes: record.sizeBytes, content };
}

export async function openMarkdown(
  dependencies: ReadDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<StoredFile> {
  const record = await ownDocument(dependencies, caller, documentId);
  if (record.markdownKey === undefined) throw new IntakeError('NOT_POSSIBLE_NOW');
  const { maxMarkdownBytes: maxBytes } = dependencies.settings;
  const content = await dependencies.objectStore.read(record.markdownKey, { maxBytes });
  return {
    name: `${record.name}.md`,
    mediaType: 'text/markdown; charset=utf-8',
    sizeBytes: record.markdownBytes ?? 0,
    content,
  };
}

export async function usage({ pool, settings }: ReadDependencies, caller: Caller): Promise<Usage> {
  const { uploads, bytes } = await asOwner(pool, caller.ownerId, (transaction) =>
    unfinishedUploads(transaction, caller.ownerId),
  );
  const { maxPages, maxUnfinishedUploads, maxReservedBytes } = settings;
  return {
    maxPages,
    maxUnfinishedUploads,
    maxReservedBytes,
    unfinishedUploads: uploads,
    reservedBytes: bytes,
  };
}

async function ownDocument(
  { pool }: ReadDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<DocumentRecord> {
  const record = await asOwner(pool, caller.ownerId, (transaction) =>
    findDocument(transaction, documentId),
  );
  if (!record) throw new IntakeError('NOT_FOUND');
  return record;
}

function toFacts({ runLinks }: ReadDependencies, record: DocumentRecord): DocumentFacts {
  const {
    id: documentId,
    name,
    mediaType,
    sizeBytes,
    status,
    failedStage,
    errorCode,
    confirmedAt,
    searchable,
  } = record;
  const { createdAt, updatedAt, endedAt, waitingCode, waitingSince, nextTryAt, deadlineAt, runId } =
    record;
  return {
    documentId,
    name,
    mediaType,
    sizeBytes,
    status,
    failedStage,
    errorCode,
    waiting: waitingCode && {
      code: waitingCode,
      since: waitingSince ?? updatedAt,
      nextTryAt,
      deadlineAt,
    },
    confirmedAt,
    searchable,
    createdAt,
    updatedAt,
    endedAt,
    temporalRunUrl: runLinks && runUrl(runLinks, documentId, runId),
  };
}
