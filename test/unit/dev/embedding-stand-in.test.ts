/** The stand-in speaks as OpenAI does, and its real model means something. */
import { OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddingStandIn } from '../../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import { createFaultClient } from '../../../src/dev/fault-client.ts';
import type { StandIn } from '../../../src/dev/run-stand-in.ts';

const apiKey = 'test-key';
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

describe('embedding stand-in', () => {
  let standIn: StandIn;
  let client: OpenAI;
  const post = async (body: unknown, key = apiKey) => {
    const response = await fetch(`${standIn.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()] as const;
  };
  const embed = async (model: string, input: string[]) => {
    const { data } = await client.embeddings.create({ model, input, encoding_format: 'float' });
    return data.map(({ embedding }) => embedding);
  };

  beforeAll(async () => {
    standIn = await startEmbeddingStandIn({ apiKey });
    client = new OpenAI({ baseURL: `${standIn.url}/v1`, apiKey, maxRetries: 0 });
  });
  afterAll(() => standIn.close());

  it('plays faults for the inputs that hold a text', async () => {
    const faults = createFaultClient(standIn.url);
    const effect = { kind: 'answer', status: 429 } as const;
    await faults.add({ operation: 'embeddings.create', content: 'unlucky', effect });
    await embed('deterministic-384', ['a copayment']);
    await expect(embed('deterministic-384', ['a copayment', 'an unlucky one'])).rejects.toThrow(
      '429',
    );
    await embed('deterministic-384', ['a copayment', 'an unlucky one']);
  });

  it('lists its models', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual([
      'deterministic-384',
      'deterministic-1536',
      'all-MiniLM-L6-v2',
    ]);
  });

  it.each(['deterministic-1536', 'all-MiniLM-L6-v2'])(
    '%s answers the same in both formats, with its usage',
    async (model) => {
      const input = ['a copayment', 'a deductible'];
      const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
      // Without a format the SDK asks for base64 and unpacks it.
      const packed = await client.embeddings.create({ model, input });
      expect(packed.data.map(({ embedding }) => Array.from(embedding))).toEqual(
        floats.data.map(({ embedding }) => embedding),
      );
      expect(floats.model).toBe(model);
      expect(floats.usage.total_tokens).toBeGreaterThan(4);
    },
  );

  it('gives unit vectors', async () => {
    for (const model of ['deterministic-384', 'all-MiniLM-L6-v2']) {
      const [vector = []] = await embed(model, ['How much do I pay to see my doctor?']);
      expect(vector).toHaveLength(384);
      expect(dot(vector, vector)).toBeCloseTo(1, 4);
    }
  });

  it('understands a question without shared words, as the model is known to', async () => {
    const [question = [], copayment = [], dental = [], database = []] = await embed(
      'all-MiniLM-L6-v2',
      [
        'How much do I pay to see my doctor?',
        'The copayment for a primary care visit is $25.',
        'Dental cleanings are covered twice a year.',
        'PostgreSQL uses write-ahead logging.',
      ],
    );
    expect(dot(question, copayment)).toBeGreaterThan(0.5);
    expect(dot(question, dental)).toBeGreaterThan(0.1);
    expect(dot(question, dental)).toBeLessThan(0.35);
    expect(dot(question, database)).toBeLessThan(0.1);
  });

  it('sees the first 256 tokens of a text', async () => {
    const start = 'deductible '.repeat(300);
    const [one = [], other = []] = await embed('all-MiniLM-L6-v2', [start, `${start} dental plan`]);
    expect(dot(one, other)).toBeCloseTo(1, 4);
  });

  it('tells texts of the same words apart without a model too', async () => {
    const texts = ['a b', 'b a', 'a b a b', '...', '!!!'];
    const vectors = await embed('deterministic-384', texts);
    for (const [index, vector] of vectors.entries()) {
      const nearest = vectors.map((other) => dot(vector, other));
      expect(nearest.indexOf(Math.max(...nearest))).toBe(index);
      expect(nearest.filter((value) => value > 0.9999)).toHaveLength(1);
    }
  });

  const model = 'deterministic-384';
  it.each([
    ['a wrong key', { model, input: 'a' }, 401, { code: 'invalid_api_key' }],
    ['an unknown model', { model: 'gpt', input: 'a' }, 404, { code: 'model_not_found' }],
    ['no input', { model }, 400, { param: 'input' }],
    ['an empty list', { model, input: [] }, 400, { param: 'input' }],
    ['an empty text', { model, input: ['a', ''] }, 400, { param: 'input' }],
    ['too many texts', { model, input: Array(2049).fill('a') }, 400, { param: 'input' }],
    ['a width', { model, input: 'a', dimensions: 10 }, 400, { param: 'dimensions' }],
    [
      'a long text',
      { model, input: 'a'.repeat(33_000) },
      400,
      { param: 'input', code: 'context_length_exceeded' },
    ],
    [
      'too much in all',
      { model, input: Array(50).fill('a'.repeat(30_000)) },
      400,
      { param: 'input', code: 'max_tokens_per_request' },
    ],
  ])('refuses %s in the shape of OpenAI', async (name, body, status, details) => {
    const key = name === 'a wrong key' ? 'wrong' : apiKey;
    const shape = { message: expect.any(String), type: 'invalid_request_error' };
    expect(await post(body, key)).toEqual([
      status,
      { error: { ...shape, param: null, code: null, ...details } },
    ]);
  });
});
