import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchByTokens } from '../../../src/embedding/batch-by-tokens.ts';

const items = (...tokenCounts: number[]) =>
  tokenCounts.map((tokenCount, id) => ({ id, tokenCount }));
const ids = (batches: ReturnType<typeof batchByTokens<{ id: number; tokenCount: number }>>) =>
  batches.map((batch) => batch.map(({ id }) => id));

describe('batchByTokens', () => {
  it('puts inputs of like length together', () => {
    expect(ids(batchByTokens(items(9, 1, 8, 2), { maxInputs: 2 }))).toEqual([
      [1, 3],
      [2, 0],
    ]);
  });

  it('closes a batch before it holds too many tokens', () => {
    expect(ids(batchByTokens(items(4, 4, 4, 4), { maxInputs: 10, maxTokens: 8 }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('keeps to what OpenAI takes in a request unless told otherwise', () => {
    expect(ids(batchByTokens(items(150_000, 150_000, 1), { maxInputs: 10 }))).toEqual([
      [2, 0],
      [1],
    ]);
  });

  it('loses nothing, repeats nothing, respects both limits and is deterministic', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 200 });
    const size = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(counts, size, (tokenCounts, maxInputs) => {
        const given = items(...tokenCounts);
        const batches = batchByTokens(given, { maxInputs, maxTokens: 1000 });
        expect(batchByTokens(given, { maxInputs, maxTokens: 1000 })).toEqual(batches);
        expect(batches.flat().toSorted((a, b) => a.id - b.id)).toEqual(given);
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(maxInputs);
          const tokens = batch.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
          expect(tokens).toBeLessThanOrEqual(1000);
        }
      }),
    );
  });
});
