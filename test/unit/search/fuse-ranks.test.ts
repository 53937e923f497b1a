import { describe, expect, it } from 'vitest';
import type { ChunkId } from '../../../src/domain/ids.ts';
import { type Fusion, fuseRanks } from '../../../src/search/fuse-ranks.ts';
import { FUSION } from '../../../src/search/hybrid-search.ts';

const ids = (...names: string[]) => names as ChunkId[];
const even = { vector: 1, keyword: 1, damping: 5 };

describe('fuseRanks', () => {
  it('puts first what both halves have found', () => {
    const fused = fuseRanks(ids('a', 'both'), ids('b', 'both'), even);
    expect(fused.map(({ chunkId }) => chunkId)).toEqual(['both', 'a', 'b']);
    expect(fused[0]).toMatchObject({ vectorRank: 2, keywordRank: 2 });
    expect(fused[1]).toMatchObject({ vectorRank: 1, keywordRank: undefined });
  });

  it('keeps the order of the one half when the other is empty', () => {
    const vectorsOnly = fuseRanks(ids('c', 'a', 'b'), [], even);
    expect(vectorsOnly.map(({ chunkId }) => chunkId)).toEqual(['c', 'a', 'b']);
    const keywordsOnly = fuseRanks([], ids('c', 'a', 'b'), even);
    expect(keywordsOnly.map(({ chunkId }) => chunkId)).toEqual(['c', 'a', 'b']);
    expect(fuseRanks([], [], even)).toEqual([]);
  });

  it('lets a place in both halves outweigh a first place only when it is a good one', () => {
    const nearest = ids('first', 'x1', 'x2', 'x3', 'late');
    const matching = ids('y1', 'y2', 'y3', 'y4', 'late');
    const best = (damping: number) =>
      fuseRanks(nearest, matching, { ...even, damping })[0]?.chunkId;
    expect(best(1)).toBe('first');
    expect(best(60)).toBe('late');
  });

  it('lets the heavier half win, and the id break a tie', () => {
    const first = (fusion: Fusion) => fuseRanks(ids('v'), ids('k'), fusion)[0]?.chunkId;
    expect(first({ ...even, vector: 2 })).toBe('v');
    expect(first({ ...even, keyword: 2 })).toBe('k');
    expect(first(even)).toBe('k');
  });

  it('as configured, prefers meaning to words, and what has both to either', () => {
    const [nearest, matching] = [ids('near', 'x', 'both'), ids('word', 'y', 'both')];
    const fused = fuseRanks(nearest, matching, FUSION);
    expect(fused.slice(0, 3).map(({ chunkId }) => chunkId)).toEqual(['both', 'near', 'x']);
    expect(fuseRanks(ids('near'), ids('word'), FUSION)[0]?.chunkId).toBe('near');
  });
});
