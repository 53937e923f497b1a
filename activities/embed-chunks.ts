/**
 * embed: sub-batches of the chunks that have no vector yet; each is written before the next is asked for. Then the
 * read-back proof, and in the same transaction this generation goes live. What is done is read from the rows, so a
 * killed worker repeats at most the one batch that was answered and not yet written.
 */
import { type Attempt, advance } from '../src/db/attempts.ts';
import { chunksWithoutVector, storeVectors } from '../src/db/chunks.ts';
import { chunkCount, makeLive, proveGeneration } from '../src/db/generations.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { GenerationId } from '../src/domain/ids.ts';
import { batchByTokens } from '../src/embedding/batch-by-tokens.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import { chunkVersion, generationOf } from './chunk-version.ts';
import type { AttemptRef, EmbedResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { storedMarkdown } from './stored-markdown.ts';

/** Another worker takes over at once; one that has just been restarted, as soon as it polls. */
const HANDOVER_MS = 100;

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
    await embedMissing(dependencies, scope, generationId);
    const chunks = await scope.hold(async (transaction, held) => {
      const [embedded, proof] = await Promise.all([
        advance(transaction, held, ['embeddings_stored']),
        proveGeneration(transaction, generationId),
      ]);
      await Promise.all([
        makeLive(transaction, held.documentId, generationId),
        advance(transaction, embedded, ['complete']),
      ]);
      return proof.chunks;
    });
    return { chunks };
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

/** Asks for and writes one sub-batch after the other. */
async function embedMissing(
  { pool, embedder, draining }: ActivityDependencies,
  scope: AttemptScope,
  generationId: GenerationId,
): Promise<void> {
  const missing = await chunksWithoutVector(pool, generationId, embedder.dimensions);
  const batches = batchByTokens(missing, { maxInputs: embedder.batchSize });
  for (const [done, batch] of batches.entries()) {
    scope.signal.throwIfAborted();
    if (draining.aborted) throw new IntakeError('WORKER_STOPPING', { retryAfterMs: HANDOVER_MS });
    const vectors = await embedder.embed(
      batch.map((chunk) => chunk.input),
      scope.signal,
    );
    await scope.hold(async (transaction) => {
      const rows = batch.map((chunk, index) => ({
        chunkId: chunk.chunkId,
        vector: vectors[index] ?? [],
      }));
      await storeVectors(transaction, { generationId, dimensions: embedder.dimensions }, rows);
    });
    scope.report(done + 1);
  }
}
