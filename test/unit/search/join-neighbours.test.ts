import { describe, expect, it } from 'vitest';
import type { DocumentId } from '../../../src/domain/ids.ts';
import { joinNeighbours } from '../../../src/search/join-neighbours.ts';

const places = (...names: string[]) =>
  names.map((name) => ({
    documentId: name.slice(0, 1) as DocumentId,
    ordinal: Number(name.slice(1)),
  }));
const joined = (...names: string[]) =>
  joinNeighbours(places(...names)).map((chunks) =>
    chunks.map((chunk) => `${chunk?.documentId}${chunk?.ordinal}`).join('+'),
  );

describe('joinNeighbours', () => {
  it('joins what stands behind one another, on either side, and keeps the order of the ranking', () => {
    expect(joined('a5', 'a1', 'a4', 'a2')).toEqual(['a5+a4', 'a1+a2']);
  });

  it('joins nothing across documents or over a gap', () => {
    expect(joined('a1', 'b2', 'a3')).toEqual(['a1', 'b2', 'a3']);
  });

  it('joins two at most, the better one first', () => {
    expect(joined('a2', 'a1', 'a3')).toEqual(['a2+a1', 'a3']);
    expect(joined('a1', 'a2', 'a3')).toEqual(['a1+a2', 'a3']);
    expect(joined('a3', 'a1', 'a2')).toEqual(['a3+a2', 'a1']);
  });
});
