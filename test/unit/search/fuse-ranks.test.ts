import { describe, expect, it } from 'vitest';
import type { ChunkId } from '../../../src/domain/ids.ts';
import { fuseRanks } from '../../../src/search/fuse-ranks.ts';

const ids = (...names: string[]) => names as ChunkId[];
const even = { vector: 1, keyword: 1 };

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

  it('lets the heavier half win, and the id break a tie', () => {
    const first = (weights: typeof even) => fuseRanks(ids('v'), ids('k'), weights)[0]?.chunkId;
    expect(first({ vector: 2, keyword: 1 })).toBe('v');
    expect(first({ vector: 1, keyword: 2 })).toBe('k');
    expect(first(even)).toBe('k');
  });
});
