/**
 * Hybrid search over one owner's live documents: vectors find the meaning, keywords the exact words, and their places
 * are fused. A database or embedder that is down is an error and never an empty answer.
 */
import {
  type LiveGeneration,
  liveGenerations,
  matchingWords,
  nearestByIndex,
  nearestExactly,
  type VectorQuestion,
} from '../db/chunk-search.ts';
import { readChunks, type StoredChunk } from '../db/passages.ts';
import { asOwner, type Pool, type Queryable } from '../db/pool.ts';
import { IntakeError } from '../domain/errors.ts';
import type { ChunkId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { Embedder } from '../embedding/embedder.ts';
import { type FusedChunk, type Fusion, fuseRanks } from './fuse-ranks.ts';
import { joinNeighbours } from './join-neighbours.ts';
import { type Passage, toPassage } from './passage.ts';

export interface SearchDependencies {
  readonly pool: Pool;
  readonly embedder: Embedder;
  /** Live chunks of an owner from which the vector index is used; below, every vector is compared. */
  readonly vectorIndexFromChunks: number;
}

export interface SearchQuestion {
  readonly query: string;
  /** Most passages. */
  readonly k: number;
  /** Only in these documents. */
  readonly documentIds?: readonly DocumentId[] | undefined;
}

export type Search = (
  ownerId: OwnerId,
  question: SearchQuestion,
  signal: AbortSignal,
) => Promise<readonly Passage[]>;

/** Candidates of each half; the right answers that fusion can still raise lie among them. */
const CANDIDATES = 40;

/**
 * Measured by `bench/search`: ahead of vectors alone at every depth. The usual damping of 60 hardly tells a first place
 * from a tenth, and loses most of the gain.
 */
export const FUSION: Fusion = { vector: 1.25, keyword: 1, damping: 5 };

export function createSearch(dependencies: SearchDependencies): Search {
  const { pool, embedder } = dependencies;
  return async (ownerId, question, signal) => {
    const query = cleanQuery(question.query);
    const [vector] = await embedder.embed([query], signal);
    if (!vector)
      throw new IntakeError('EMBEDDINGS_INVALID', { detail: 'no vector for a question' });
    signal.throwIfAborted();
    return asOwner(pool, ownerId, async (transaction) => {
      const generations = await liveGenerations(transaction, ownerId, question.documentIds);
      // Two neighbours are one passage.
      const limit = Math.max(CANDIDATES, 2 * question.k);
      const matching = await matchingWords(transaction, { ownerId, query, generations, limit });
      const nearest = await nearestChunks(transaction, dependencies, {
        vector,
        generations,
        limit,
      });
      const fused = fuseRanks(nearest, matching, FUSION);
      const chunks = await readFused(transaction, fused, { model: embedder.model, vector });
      return joinNeighbours(chunks).slice(0, question.k).map(toPassage);
    });
  };
}

/** Postgres refuses NUL in text, and a lone surrogate is no text. */
function cleanQuery(query: string): string {
  const clean = query.toWellFormed().replaceAll('\0', ' ').trim();
  if (clean === '') throw new IntakeError('INVALID_REQUEST', { detail: 'empty query' });
  return clean;
}

/** Vectors of different models cannot be compared: only the embedder's own take part. */
async function nearestChunks(
  transaction: Queryable,
  { embedder, vectorIndexFromChunks }: SearchDependencies,
  question: VectorQuestion,
): Promise<readonly ChunkId[]> {
  const generations = question.generations.filter(
    ({ embeddingModel, dimensions }) =>
      embeddingModel === embedder.model && dimensions === embedder.dimensions,
  );
  const own = { ...question, generations };
  const chunks = countChunks(generations);
  if (chunks < vectorIndexFromChunks) return nearestExactly(transaction, own);
  const found = await nearestByIndex(transaction, own);
  // The index reads only so many rows of other owners before it gives up; ours must not be missed for that.
  return found.length < Math.min(question.limit, chunks) ? nearestExactly(transaction, own) : found;
}

function countChunks(generations: readonly LiveGeneration[]): number {
  return generations.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
}

async function readFused(
  transaction: Queryable,
  fused: readonly FusedChunk[],
  question: { readonly model: string; readonly vector: readonly number[] },
): Promise<readonly (StoredChunk & FusedChunk)[]> {
  const stored = await readChunks(
    transaction,
    fused.map(({ chunkId }) => chunkId),
    question,
  );
  return fused.flatMap((chunk) => {
    const found = stored.get(chunk.chunkId);
    return found ? [{ ...found, ...chunk }] : [];
  });
}
