import { describe, expect, it } from 'vitest';
import { readVectors } from '../../../src/embedding/read-vectors.ts';

const expected = { count: 2, dimensions: 3 };
const entry = (index: unknown, embedding: unknown) => ({ object: 'embedding', index, embedding });
const read = (...data: unknown[]) => readVectors({ object: 'list', data }, expected);

describe('readVectors', () => {
  it('orders by index', () => {
    expect(read(entry(1, [4, 5, 6]), entry(0, [1, 2, 3]))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it.each([
    ['too few', [entry(0, [1, 2, 3])]],
    ['too many', [entry(0, [1, 2, 3]), entry(1, [1, 2, 3]), entry(2, [1, 2, 3])]],
    ['an index twice', [entry(0, [1, 2, 3]), entry(0, [4, 5, 6])]],
    ['an index out of range', [entry(0, [1, 2, 3]), entry(2, [4, 5, 6])]],
    ['an index as text', [entry(0, [1, 2, 3]), entry('1', [4, 5, 6])]],
    ['a short vector', [entry(0, [1, 2, 3]), entry(1, [4, 5])]],
    ['a long vector', [entry(0, [1, 2, 3]), entry(1, [4, 5, 6, 7])]],
    ['a zero vector', [entry(0, [1, 2, 3]), entry(1, [0, 0, -0])]],
    ['a null', [entry(0, [1, 2, 3]), entry(1, [1, null, 3])]],
    ['a number as text', [entry(0, [1, 2, 3]), entry(1, [1, '2', 3])]],
    ['a value beyond all', [entry(0, [1, 2, 3]), entry(1, [1, Number.POSITIVE_INFINITY, 3])]],
    ['base64', [entry(0, [1, 2, 3]), entry(1, 'AACAPwAAAEAAAEBA')]],
    ['no entry', [entry(0, [1, 2, 3]), null]],
  ])('refuses %s', (_, data) => {
    expect(() => read(...data)).toThrow(expect.objectContaining({ code: 'EMBEDDINGS_INVALID' }));
  });

  it.each([
    ['an HTML page', '<!doctype html><title>Bad gateway</title>'],
    ['nothing', undefined],
    ['null', null],
    ['no list', { data: {} }],
  ])('takes %s for an endpoint that is down', (_, answer) => {
    expect(() => readVectors(answer, expected)).toThrow(
      expect.objectContaining({ code: 'EMBEDDER_UNAVAILABLE' }),
    );
  });
});
