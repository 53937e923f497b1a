/**
 * What callers of an embedder rely on, held against the adapter on the stand-in's models and, where
 * INTAKE_TEST_EMBEDDINGS_URL, _API_KEY, _MODEL and _DIMENSIONS are set, on a real endpoint.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddingStandIn } from '../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import type { StandIn } from '../../src/dev/run-stand-in.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { createOpenAiEmbedder } from '../../src/embedding/openai-embedder.ts';
import { unlimited } from '../support/unlimited.ts';

const apiKey = 'test-key';
const never = new AbortController().signal;
const passages = [
  'The copayment for a visit to your primary care physician is $25.',
  'Dental cleanings are covered twice a year.',
  'PostgreSQL writes every change to the log before the data page.',
];
const distance = (a: readonly number[], b: readonly number[]) =>
  1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

interface Endpoint {
  readonly model: string;
  readonly dimensions: number;
  /** Of the stand-in unless given. */
  readonly baseUrl?: string;
  readonly apiKey?: string;
}

const environment = process.env;
const real: Endpoint[] = environment['INTAKE_TEST_EMBEDDINGS_URL']
  ? [
      {
        baseUrl: environment['INTAKE_TEST_EMBEDDINGS_URL'],
        apiKey: environment['INTAKE_TEST_EMBEDDINGS_API_KEY'] ?? '',
        model: environment['INTAKE_TEST_EMBEDDINGS_MODEL'] ?? 'text-embedding-3-small',
        dimensions: Number(environment['INTAKE_TEST_EMBEDDINGS_DIMENSIONS'] ?? 1536),
      },
    ]
  : [];
const endpoints: Endpoint[] = [
  { model: 'deterministic-384', dimensions: 384 },
  { model: 'deterministic-1536', dimensions: 1536 },
  { model: 'all-MiniLM-L6-v2', dimensions: 384 },
  ...real,
];

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startEmbeddingStandIn({ apiKey });
});
afterAll(() => standIn.close());

describe.each(endpoints)('embedder contract: $model', (endpoint) => {
  let embedder: Embedder;
  const embedderOf = (changes: Partial<Endpoint> = {}) =>
    createOpenAiEmbedder({
      baseUrl: `${standIn.url}/v1`,
      apiKey,
      batchSize: 16,
      withinBudget: unlimited,
      ...endpoint,
      ...changes,
    });
  beforeAll(() => {
    embedder = embedderOf();
  });

  it('gives one finite, non-zero vector of the right width per input', async () => {
    const vectors = await embedder.embed(passages, never);
    expect(vectors).toHaveLength(passages.length);
    for (const vector of vectors) {
      expect(vector).toHaveLength(endpoint.dimensions);
      expect(vector.every(Number.isFinite)).toBe(true);
      expect(dot(vector, vector)).toBeGreaterThan(0);
    }
  });

  it('keeps the order of its inputs, short and long ones mixed', async () => {
    const inputs = ['short', passages.join(' ').repeat(3), ...passages, 'x'];
    const together = await embedder.embed(inputs, never);
    for (const [index, input] of inputs.entries()) {
      const [alone] = await embedder.embed([input], never);
      const distances = together.map((vector) => distance(vector, alone ?? []));
      expect(distances.indexOf(Math.min(...distances))).toBe(index);
    }
  });

  it('lets every text find itself and the like of it', async () => {
    const vectors = await embedder.embed(passages, never);
    const [same, like] = await embedder.embed(
      [passages[0] ?? '', 'What is the copayment for a visit to the physician?'],
      never,
    );
    const [nearest, ...others] = vectors.map((vector) => distance(vector, same ?? []));
    expect(nearest).toBeLessThan(0.01);
    expect(Math.min(...others)).toBeGreaterThan(0.1);
    const [right, ...wrong] = vectors.map((vector) => distance(vector, like ?? []));
    expect(right).toBeLessThan(Math.min(...wrong));
  });

  it('takes whatever text there is', async () => {
    const odd = ['|---|', '😀', '年度免赔额', '<|endoftext|>', 'x'.repeat(3000), ' . ', '\u0000a'];
    expect(await embedder.embed(odd, never)).toHaveLength(odd.length);
  });

  it('asks for nothing when there is nothing to ask', async () => {
    expect(await embedder.embed([], never)).toEqual([]);
  });

  it('refuses a wrong key, a wrong model and a wrong width in our codes', async () => {
    await expect(embedderOf({ apiKey: 'wrong' }).embed(['a'], never)).rejects.toMatchObject({
      code: 'EMBEDDER_FORBIDDEN',
    });
    await expect(embedderOf({ model: 'no-such-model' }).embed(['a'], never)).rejects.toMatchObject({
      code: 'EMBEDDER_REJECTED',
    });
    await expect(embedderOf({ dimensions: 7 }).embed(['a'], never)).rejects.toMatchObject({
      code: expect.stringMatching(/^EMBEDDINGS_INVALID$|^EMBEDDER_REJECTED$/),
    });
  });

  it('rejects with the reason of an abort', async () => {
    const reason = new Error('cancelled');
    await expect(embedder.embed(['a'], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
