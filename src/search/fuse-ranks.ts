/** Reciprocal rank fusion: two lists that measure in different units are joined by places alone. */
import type { ChunkId } from '../domain/ids.ts';

export interface Fusion {
  /** Weights of the halves. */
  readonly vector: number;
  readonly keyword: number;
  /** Added to each place: the larger, the less a first place counts for more than a tenth. */
  readonly damping: number;
}

export interface FusedChunk {
  readonly chunkId: ChunkId;
  readonly score: number;
  /** 1-based place in each half; `undefined` where it was not among the candidates. */
  readonly vectorRank: number | undefined;
  readonly keywordRank: number | undefined;
}

/** Best first; equal scores are ordered by id, so that the same question gives the same page. */
export function fuseRanks(
  nearest: readonly ChunkId[],
  matching: readonly ChunkId[],
  fusion: Fusion,
): readonly FusedChunk[] {
  const part = (weight: number, rank: number | undefined) =>
    rank === undefined ? 0 : weight / (fusion.damping + rank);
  const vectorRanks = ranks(nearest);
  const keywordRanks = ranks(matching);
  return [...new Set([...nearest, ...matching])]
    .map((chunkId) => {
      const vectorRank = vectorRanks.get(chunkId);
      const keywordRank = keywordRanks.get(chunkId);
      const score = part(fusion.vector, vectorRank) + part(fusion.keyword, keywordRank);
      return { chunkId, score, vectorRank, keywordRank };
    })
    .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1));
}

function ranks(ids: readonly ChunkId[]): ReadonlyMap<ChunkId, number> {
  return new Map(ids.map((id, index) => [id, index + 1]));
}
