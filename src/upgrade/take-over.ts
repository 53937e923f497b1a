/** One document of the original system becomes one of Intake, in one transaction, or is left as it is. */
import { createHash, randomUUID } from 'node:crypto';
import { detectTextSearchConfig } from '../chunking/detect-language.ts';
import { deriveGenerationId } from '../db/derive-id.ts';
import { insertAttempt } from '../db/documents.ts';
import { makeLive, proveGeneration, storeGeneration } from '../db/generations.ts';
import {
  copyVectors,
  type InheritedKeys,
  insertEnded,
  insertInherited,
  insertKeys,
} from '../db/inheritance.ts';
import {
  chunkTexts,
  type OriginalChunks,
  type OriginalDocument,
  type OriginalSchema,
} from '../db/original.ts';
import type { Queryable } from '../db/pool.ts';
import type { Chunk } from '../domain/chunk.ts';
import type { AttemptId, DocumentId, OwnerId, VersionId } from '../domain/ids.ts';
import type { TokenCounter } from '../embedding/embedder.ts';
import { type Fate, isSha256 } from './fate.ts';
import { isOwn, keyOf } from './object-path.ts';

export interface TakeOver {
  readonly schema: OriginalSchema;
  readonly counter: TokenCounter;
  readonly uploadLifetimeMs: number;
  /** Whether storage takes such a key. */
  isKey(key: string): boolean;
}

/** How long the original's signed upload URLs live: bytes may still come to their keys. */
const UPLOAD_URL_MS = 2 * 3_600_000;
/** The embedding model's own; the original's chunker knew none. */
const MAX_TOKENS = 8_191;
const DIMENSIONS = 1536;
/** Between two chunks: the original stored neither where they stand nor what lies between them. */
const SEPARATOR = '\n';

/** False when Intake has the document by now. */
export async function takeOver(
  transaction: Queryable,
  document: OriginalDocument,
  { fate, ...options }: TakeOver & { readonly fate: Exclude<Fate, { kind: 'present' }> },
): Promise<boolean> {
  const { documentId, ownerId } = document;
  const chunks = fate.reason === 'searchable' ? document.chunks : undefined;
  const texts = chunks ? await chunkTexts(transaction, options.schema, { documentId, chunks }) : [];
  const textSearchConfig = detectTextSearchConfig(texts.join(SEPARATOR));
  const sha256 = hashOf(document);
  const inherited = { ...document, sha256, textSearchConfig };
  const versionId = await insertInherited(transaction, inherited);
  if (versionId === undefined) return false;
  await insertKeys(transaction, { documentId, ownerId, ...keysOf(document, options) });
  const place = { documentId, ownerId, versionId };
  if (fate.kind === 'ended') await insertEnded(transaction, { ...fate.job, ...fate, ...place });
  else await startAgain(transaction, document.job?.id, { ...place, ...options });
  if (chunks) {
    const { parsedSha256: markdownSha256 = sha256Of(texts.join(SEPARATOR)) } = document;
    const generation = { ...place, ...options, chunks, texts, textSearchConfig, markdownSha256 };
    await inheritGeneration(transaction, generation);
  }
  return true;
}

/** The road from its beginning: verify looks at the original's key at once, and until the upload expires. */
async function startAgain(
  transaction: Queryable,
  jobId: AttemptId | undefined,
  { documentId, ownerId, versionId, uploadLifetimeMs }: Place & TakeOver,
): Promise<void> {
  await insertAttempt(transaction, {
    id: jobId ?? (randomUUID() as AttemptId),
    documentId,
    ownerId,
    versionId,
    number: 1,
    startStage: 'verify',
    correlationId: randomUUID(),
    uploadExpiresAt: new Date(Date.now() + uploadLifetimeMs),
    confirmed: true,
  });
}

interface Place {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
}

interface Inheritance extends Place, TakeOver {
  readonly chunks: OriginalChunks;
  readonly texts: readonly string[];
  readonly textSearchConfig: string;
  readonly markdownSha256: string;
}

/** Goes live under the same proof as any other generation. */
async function inheritGeneration(
  transaction: Queryable,
  { chunks, texts, counter, schema, ...generation }: Inheritance,
): Promise<void> {
  const { documentId, markdownSha256 } = generation;
  const identity = {
    documentId,
    markdownSha256,
    chunker: `${chunks.chunkerName}@${chunks.chunkerVersion}`,
    tokenizer: counter.name,
    maxTokens: MAX_TOKENS,
    embeddingModel: chunks.embeddingModel,
    dimensions: DIMENSIONS,
  };
  const id = deriveGenerationId(identity);
  await storeGeneration(transaction, { ...generation, ...identity, id }, placed(texts, counter));
  const count = texts.length;
  await copyVectors(transaction, schema, { documentId, generationId: id, chunks, count });
  await proveGeneration(transaction, id);
  await makeLive(transaction, documentId, id);
}

/** The original kept neither pages nor offsets nor headings: all is page one, counted in the chunks' own texts. */
function placed(texts: readonly string[], counter: TokenCounter): readonly Chunk[] {
  let startOffset = 0;
  return texts.map((text, ordinal) => {
    const endOffset = startOffset + text.length;
    const chunk = {
      ordinal,
      text,
      startOffset,
      endOffset,
      pageFrom: 1,
      pageTo: 1,
      headingPath: [],
      prefix: '',
      tokenCount: counter.count(text),
    };
    startOffset = endOffset + SEPARATOR.length;
    return chunk;
  });
}

function keysOf(
  document: OriginalDocument,
  { isKey }: TakeOver,
): Pick<InheritedKeys, 'raw' | 'parsed'> {
  const own = (path: string | undefined) => {
    const key = path === undefined ? undefined : keyOf(path);
    return key !== undefined && isKey(key) && isOwn(key, document) ? key : undefined;
  };
  const key = own(document.rawPath);
  const issuedAt = document.job?.createdAt ?? document.createdAt;
  const urlExpiresAt = new Date(issuedAt.getTime() + UPLOAD_URL_MS);
  return {
    raw: key === undefined ? undefined : { key, urlExpiresAt },
    parsed: own(document.parsedPath),
  };
}

/** Where there is none, one that no content has. */
function hashOf({ sha256, documentId }: OriginalDocument): string {
  return isSha256(sha256) ? sha256.toLowerCase() : sha256Of(`${documentId}:${sha256}`);
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
