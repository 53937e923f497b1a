import { describe, expect, it } from 'vitest';
import type { ChunkId, DocumentId } from '../../../src/domain/ids.ts';
import { toPassage } from '../../../src/search/passage.ts';

const markdown = '# Fees\n\nA visit costs 20.\n\n## Dental\n\nCleaning is free.\nTwice a year.';

/** The chunk of these words, on a page of its own. */
function chunk(ordinal: number, text: string, headingPath: readonly string[]) {
  const startOffset = markdown.indexOf(text);
  return {
    chunkId: `chunk ${ordinal}` as ChunkId,
    documentId: 'document' as DocumentId,
    documentName: 'plan.pdf',
    ordinal,
    text,
    startOffset,
    endOffset: startOffset + text.length,
    pageFrom: ordinal + 1,
    pageTo: ordinal + 1,
    headingPath,
    similarity: 1 / (ordinal + 1),
    score: 1,
    vectorRank: ordinal + 1,
    keywordRank: undefined,
  };
}
const fees = chunk(0, 'A visit costs 20.', ['Fees']);
const dental = chunk(1, '## Dental\n\nCleaning is free.', ['Fees', 'Dental']);
const often = chunk(2, 'Twice a year.', ['Fees', 'Dental']);

describe('toPassage', () => {
  it('of one chunk is the chunk, without its place among the others', () => {
    const { ordinal: _, ...passage } = dental;
    expect(toPassage([dental])).toEqual(passage);
  });

  it.each([
    ['before', fees, dental],
    ['behind', dental, fees],
  ])('of two reads in the document’s order, the better one %s', (_, best, other) => {
    const passage = toPassage([best, other]);
    const { chunkId, similarity, vectorRank } = best;
    expect(passage).toMatchObject({ chunkId, similarity, vectorRank, pageFrom: 1, pageTo: 2 });
    expect(passage.text).toBe(markdown.slice(passage.startOffset, passage.endOffset));
    expect(passage.headingPath).toEqual(['Fees']);
  });

  it('keeps lines apart, and no more than a blank line', () => {
    expect(toPassage([often, dental]).text).toBe('## Dental\n\nCleaning is free.\nTwice a year.');
    const far = { ...often, startOffset: often.startOffset + 90, endOffset: often.endOffset + 90 };
    expect(toPassage([dental, far]).text).toBe('## Dental\n\nCleaning is free.\n\nTwice a year.');
  });
});
