/**
 * embed: sub-batches of the chunks that have no vector yet; each is written before anything else is done. Then come the
 * read-back proof and, in the same transaction, going live. What is done is read from the rows, so a killed worker
 * repeats at most the one batch that was answered and not yet written. What cannot be proven is thrown away, so that a
 * retry makes it anew.
 */
import { type Attempt, advance } from '../src/db/attempts.ts';
import {
  type ChunkInput,
  type ChunkVector,
  chunksWithoutVector,
  storeVectors,
} from '../src/db/chunks.ts';
import { chunkCount, discardUnproven, makeLive, proveGeneration } from '../src/db/generations.ts';
import type { Queryable } from '../src/db/pool.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { GenerationId } from '../src/domain/ids.ts';
import { batchByTokens } from '../src/embedding/batch-by-tokens.ts';
import { type AttemptScope, handover, withAttempt } from './attempt-scope.ts';
import { chunkVersion, generationOf } from './chunk-version.ts';
import type { AttemptRef, EmbedResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { storedMarkdown } from './stored-markdown.ts';

export async function embedChunks(
  dependencies: ActivityDependencies,
  ref: AttemptRef,
): Promise<EmbedResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, generationId, stored } = await scope.hold(async (transaction, held) => {
      const id = generationFor(dependencies, held);
      const [started, chunks] = await Promise.all([
        advance(transaction, held, ['embedding_queued', 'embedding_in_progress']),
        chunkCount(transaction, id),
      ]);
      return { attempt: started, generationId: id, stored: chunks };
    });
    if (attempt.status === 'complete') return { chunks: stored };
    if (stored === 0) await chunkAnew(dependencies, attempt, scope);
    return await embedMissing(dependencies, scope, generationId);
  });
}

/** Chunker, tokenizer or model were changed since this document was chunked: its generation is another one now. */
async function chunkAnew(
  dependencies: ActivityDependencies,
  attempt: Attempt,
  scope: AttemptScope,
): Promise<void> {
  const markdown = await storedMarkdown(dependencies, attempt, scope);
  if (markdown) await chunkVersion(dependencies, scope, markdown);
}

function generationFor(
  dependencies: ActivityDependencies,
  { documentId, version }: Attempt,
): GenerationId {
  if (!version.markdownSha256)
    throw new IntakeError('INTERNAL_ERROR', { detail: 'nothing was parsed' });
  return generationOf(dependencies, documentId, version.markdownSha256);
}

/** Asks for and writes one sub-batch after the other, then proves them. */
async function embedMissing(
  dependencies: ActivityDependencies,
  scope: AttemptScope,
  generationId: GenerationId,
): Promise<EmbedResult> {
  const { batchSize: maxInputs, dimensions } = dependencies.embedder;
  const missing = await chunksWithoutVector(dependencies.pool, generationId, dimensions);
  const batches = batchByTokens(missing, { maxInputs });
  const target = { generationId, dimensions };
  for (const [done, batch] of batches.entries()) {
    const vectors = await embedBatch(dependencies, scope, batch);
    await scope.hold((transaction) => storeVectors(transaction, target, vectors));
    scope.report(done + 1);
  }
  try {
    return await scope.hold((transaction, held) => complete(transaction, held, generationId));
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'EMBEDDINGS_UNPROVEN') {
      await scope.hold((transaction) => discardUnproven(transaction, generationId));
    }
    throw error;
  }
}

async function embedBatch(
  { embedder, draining }: ActivityDependencies,
  { signal }: AttemptScope,
  batch: readonly ChunkInput[],
): Promise<readonly ChunkVector[]> {
  signal.throwIfAborted();
  if (draining.aborted) throw handover();
  const vectors = await embedder.embed(
    batch.map(({ input }) => input),
    signal,
  );
  return batch.map(({ chunkId }, index) => ({ chunkId, vector: vectors[index] ?? [] }));
}

/** The proof, and from the commit on search reads this generation. */
async function complete(
  transaction: Queryable,
  held: Attempt,
  generationId: GenerationId,
): Promise<EmbedResult> {
  const [embedded, { chunks }] = await Promise.all([
    advance(transaction, held, ['embeddings_stored']),
    proveGeneration(transaction, generationId),
  ]);
  await Promise.all([
    makeLive(transaction, held.documentId, generationId),
    advance(transaction, embedded, ['complete']),
  ]);
  return { chunks };
}
