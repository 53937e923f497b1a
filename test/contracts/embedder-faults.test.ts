/** The adapter against an endpoint that misbehaves: right code, nothing asked for twice, nothing waited for for ever. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  inputHash,
  startEmbeddingStandIn,
} from '../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import type { FaultEffect, FaultRule } from '../../src/dev/fault-rules.ts';
import type { StandIn } from '../../src/dev/run-stand-in.ts';
import { createOpenAiEmbedder } from '../../src/embedding/openai-embedder.ts';
import { unlimited } from '../support/unlimited.ts';

const never = new AbortController().signal;
const apiKey = 'test-key';

describe('embedder on a faulty endpoint', () => {
  let standIn: StandIn;
  let faults: FaultClient;
  const embedderOf = (timeoutMs = 60_000) =>
    createOpenAiEmbedder({
      baseUrl: `${standIn.url}/v1`,
      apiKey,
      model: 'deterministic-384',
      dimensions: 384,
      batchSize: 16,
      timeoutMs,
      withinBudget: unlimited,
    });
  const script = (effect: FaultRule['effect']) =>
    faults.add({ operation: 'embeddings.create', effect });
  const named = (name: string): FaultEffect => ({ kind: 'named', name });
  const calls = async () => (await faults.ledger()).counts['embeddings.create'];

  beforeAll(async () => {
    standIn = await startEmbeddingStandIn({ apiKey });
    faults = createFaultClient(standIn.url);
  });
  afterEach(async () => {
    await faults.clear();
    await faults.clearLedger();
  });
  afterAll(() => standIn.close());

  it('puts vectors that come in another order back into the order of the inputs', async () => {
    const inputs = ['one', 'two', 'three'];
    const expected = await embedderOf().embed(inputs, never);
    await script(named('reorder'));
    expect(await embedderOf().embed(inputs, never)).toEqual(expected);
  });

  it.each(['double', 'drop', 'truncate', 'zero', 'not-finite'])(
    'refuses an answer that is spoilt: %s',
    async (name) => {
      await script(named(name));
      await expect(embedderOf().embed(['one', 'two'], never)).rejects.toMatchObject({
        code: 'EMBEDDINGS_INVALID',
      });
    },
  );

  it.each([
    [429, 'EMBEDDER_RATE_LIMITED'],
    [500, 'EMBEDDER_UNAVAILABLE'],
    [503, 'EMBEDDER_UNAVAILABLE'],
  ])('asks once and passes on what status %i says of coming back', async (status, code) => {
    await script({ kind: 'answer', status, headers: { 'retry-after': '3' } });
    const failure = { code, retryAfterMs: 3000 };
    await expect(embedderOf().embed(['one'], never)).rejects.toMatchObject(failure);
    expect(await calls()).toBe(1);
  });

  it.each([
    ['a page with status 200', 'text/html', '<title>Bad gateway</title>'],
    ['broken JSON', 'application/json', '{"data": ['],
    ['no body', 'application/json', ''],
  ])('takes %s for an endpoint that is down', async (_, contentType, body) => {
    await script({ kind: 'answer', status: 200, headers: { 'content-type': contentType }, body });
    await expect(embedderOf().embed(['one'], never)).rejects.toMatchObject({
      code: 'EMBEDDER_UNAVAILABLE',
    });
  });

  it.each(['reset-before', 'reset-after'] as const)(
    'takes a lost connection for an endpoint that is down: %s',
    async (kind) => {
      await script({ kind });
      await expect(embedderOf().embed(['one'], never)).rejects.toMatchObject({
        code: 'EMBEDDER_UNAVAILABLE',
      });
      expect(await calls()).toBe(1);
    },
  );

  it.each([{ kind: 'hang' } as const, named('stall')])(
    'gives up after its own timeout: $kind $name',
    async (effect) => {
      await script(effect);
      await expect(embedderOf(100).embed(['one'], never)).rejects.toMatchObject({
        code: 'EMBEDDER_UNAVAILABLE',
      });
    },
  );

  it.each([{ kind: 'hang' } as const, named('stall')])(
    'rejects with the reason of an abort under way: $kind $name',
    async (effect) => {
      await script(effect);
      const reason = new Error('cancelled');
      const abort = new AbortController();
      const embedding = embedderOf().embed(['one'], abort.signal);
      await expect.poll(calls).toBe(1);
      abort.abort(reason);
      await expect(embedding).rejects.toBe(reason);
    },
  );

  it('is refused what the endpoint does not take, and says so', async () => {
    await expect(embedderOf().embed(['one', ''], never)).rejects.toMatchObject({
      code: 'EMBEDDER_REJECTED',
    });
  });

  it('leaves a ledger from which every input can be counted', async () => {
    await embedderOf().embed(['one', 'two'], never);
    await embedderOf().embed(['two'], never);
    const { calls: recorded } = await faults.ledger();
    const hashes = recorded.flatMap(({ subject }) => subject?.split(',') ?? []);
    expect(hashes.filter((hash) => hash === inputHash('one'))).toHaveLength(1);
    expect(hashes.filter((hash) => hash === inputHash('two'))).toHaveLength(2);
  });
});
