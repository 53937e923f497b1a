/** Puts documents into a test database by the same functions that the activities call. */
import { createHash, randomUUID } from 'node:crypto';
import { chunksWithoutVector, storeVectors } from '../../src/db/chunks.ts';
import { deriveDocumentId, deriveGenerationId } from '../../src/db/derive-id.ts';
import {
  makeLive,
  type NewGeneration,
  proveGeneration,
  storeGeneration,
} from '../../src/db/generations.ts';
import { inTransaction, type Pool, type Queryable } from '../../src/db/pool.ts';
import type { Chunk } from '../../src/domain/chunk.ts';
import type { AttemptId, DocumentId, OwnerId, VersionId } from '../../src/domain/ids.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';

export function newOwner(): OwnerId {
  return randomUUID() as OwnerId;
}

/** One chunk per text, one page per chunk, as if they stood behind one another in the Markdown. */
export function chunksOf(texts: readonly string[], headingPath: readonly string[] = []): Chunk[] {
  let startOffset = 0;
  return texts.map((text, ordinal) => {
    const chunk = {
      ordinal,
      text,
      startOffset,
      endOffset: startOffset + text.length,
      pageFrom: ordinal + 1,
      pageTo: ordinal + 1,
      headingPath,
      prefix: '',
      tokenCount: text.split(/\s+/).length + 2,
    };
    startOffset += text.length;
    return chunk;
  });
}

export interface TestDocument {
  readonly id: DocumentId;
  readonly ownerId: OwnerId;
  readonly versionId: VersionId;
  readonly attemptId: AttemptId;
  readonly name: string;
}

/** Document, version and an attempt whose parsing is done. */
export async function addDocument(
  q: Queryable,
  ownerId: OwnerId,
  name = 'policy.pdf',
): Promise<TestDocument> {
  const sha256 = sha256Of(randomUUID());
  const document: TestDocument = {
    id: deriveDocumentId(ownerId, sha256, 1),
    ownerId,
    versionId: randomUUID() as VersionId,
    attemptId: randomUUID() as AttemptId,
    name,
  };
  const { id, versionId, attemptId } = document;
  await q.query(
    'insert into intake.documents (id, owner_id, name, sha256) values ($1, $2, $3, $4)',
    [...[id, ownerId, name, sha256]],
  );
  await q.query(
    `insert into intake.versions (id, document_id, owner_id, number, sha256, size_bytes, media_type, original_key,
       verified_at, markdown_key, markdown_sha256, parsed_at)
     values ($1, $2, $3, 1, $4, 1000, 'application/pdf', $5, now(), $6, $4, now())`,
    [versionId, id, ownerId, sha256, `originals/${id}`, `parsed/${id}.md`],
  );
  await q.query(
    `insert into intake.attempts (id, document_id, owner_id, version_id, number, start_stage, status, correlation_id)
     values ($1, $2, $3, $4, 1, 'embed', 'chunks_stored', gen_random_uuid())`,
    [attemptId, id, ownerId, versionId],
  );
  await q.query(
    'update intake.documents set current_version_id = $2, current_attempt_id = $3 where id = $1',
    [id, versionId, attemptId],
  );
  return document;
}

/** `content` stands for the Markdown: another content is another generation. */
export function generationOf(
  document: TestDocument,
  embedder: Embedder,
  { content = 'first', textSearchConfig = 'english' } = {},
): NewGeneration {
  const identity = {
    documentId: document.id,
    markdownSha256: sha256Of(content),
    chunker: 'markdown-blocks@1',
    tokenizer: 'words',
    maxTokens: 256,
    embeddingModel: embedder.model,
    dimensions: embedder.dimensions,
  };
  return {
    ...identity,
    id: deriveGenerationId(identity),
    ownerId: document.ownerId,
    versionId: document.versionId,
    textSearchConfig,
  };
}

export async function storeChunksOf(
  pool: Pool,
  generation: NewGeneration,
  chunks: readonly Chunk[],
): Promise<void> {
  await inTransaction(pool, (transaction) => storeGeneration(transaction, generation, chunks));
}

export async function embedMissing(
  pool: Pool,
  { id, dimensions }: NewGeneration,
  embedder: Embedder,
): Promise<void> {
  const missing = await chunksWithoutVector(pool, id, dimensions);
  for (let start = 0; start < missing.length; start += embedder.batchSize) {
    const batch = missing.slice(start, start + embedder.batchSize);
    const vectors = await embedder.embed(
      batch.map(({ input }) => input),
      AbortSignal.timeout(120_000),
    );
    const rows = batch.map(({ chunkId }, index) => ({ chunkId, vector: vectors[index] ?? [] }));
    await storeVectors(pool, { generationId: id, dimensions }, rows);
  }
}

/** The last transaction of the embed activity. */
export async function complete(
  pool: Pool,
  document: TestDocument,
  generation: NewGeneration,
): Promise<void> {
  await inTransaction(pool, async (transaction) => {
    await proveGeneration(transaction, generation.id);
    await makeLive(transaction, document.id, generation.id);
    for (const status of [
      'embedding_queued',
      'embedding_in_progress',
      'embeddings_stored',
      'complete',
    ])
      await transaction.query('update intake.attempts set status = $2 where id = $1', [
        document.attemptId,
        status,
      ]);
  });
}

export interface LibraryOptions {
  readonly name?: string;
  readonly headingPath?: readonly string[];
  readonly textSearchConfig?: string;
}

/** A complete, searchable document. */
export async function addLiveDocument(
  pool: Pool,
  { ownerId, embedder }: { readonly ownerId: OwnerId; readonly embedder: Embedder },
  texts: readonly string[],
  options: LibraryOptions = {},
): Promise<TestDocument> {
  const document = await addDocument(pool, ownerId, options.name);
  const generation = generationOf(document, embedder, options);
  await storeChunksOf(pool, generation, chunksOf(texts, options.headingPath));
  await embedMissing(pool, generation, embedder);
  await complete(pool, document, generation);
  return document;
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
