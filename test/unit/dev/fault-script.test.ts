import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFaultClient, type FaultClient } from '../../../src/dev/fault-client.ts';
import { createFaultBook } from '../../../src/dev/fault-rules.ts';
import { faultScript } from '../../../src/dev/fault-script.ts';
import { listen, type StandIn } from '../../../src/dev/run-stand-in.ts';
import { eventually } from '../../support/eventually.ts';

describe('a book of rules', () => {
  const hang = {
    operation: 'thing.read',
    times: 'always',
    skip: 0,
    every: 1,
    effect: { kind: 'hang' },
  } as const;
  const about = (subject: string, content?: string) => ({ subject, content });

  it('forgets a rule when its time is over', () => {
    let nowMs = 0;
    const book = createFaultBook(() => nowMs);
    book.add([{ ...hang, forMs: 100 }]);
    nowMs = 99;
    expect(book.take('thing.read', about('1'))).toEqual([hang.effect]);
    nowMs = 100;
    expect(book.take('thing.read', about('1'))).toEqual([]);
  });

  it('knows the calls that a rule means by their content too', () => {
    const book = createFaultBook();
    book.add([{ ...hang, content: 'word' }]);
    expect(book.take('thing.read', about('1', 'other'))).toEqual([]);
    expect(book.take('thing.read', about('1'))).toEqual([]);
    expect(book.take('thing.read', about('1', 'a word in it'))).toEqual([hang.effect]);
  });
});

describe('fault script', () => {
  let standIn: StandIn;
  let faults: FaultClient;
  let worksDone: number;

  beforeEach(async () => {
    worksDone = 0;
    const app = Fastify({ forceCloseConnections: true });
    await app.register(faultScript, {
      operations: { 'thing.read': ['truncate'], 'thing.list': [] },
    });
    app.get<{ Params: { id: string } }>(
      '/things/:id',
      {
        config: {
          operation: 'thing.read',
          subject: (request) => (request.params as { id: string }).id,
        },
      },
      async (request) => {
        worksDone += 1;
        return request.fault?.name === 'truncate' ? 'th' : 'thing';
      },
    );
    standIn = await listen(app, { host: '127.0.0.1', port: 0 });
    faults = createFaultClient(standIn.url);
  });
  afterEach(() => standIn.close());

  const read = (id = '1') =>
    fetch(`${standIn.url}/things/${id}`).then((response) => response.text());

  it('meets the effect after the skipped calls, as often as told, then never again', async () => {
    const effect = { kind: 'named', name: 'truncate' } as const;
    await faults.add({ operation: 'thing.read', skip: 1, times: 2, effect });
    const answers = [await read(), await read(), await read(), await read()];
    expect(answers).toEqual(['thing', 'th', 'th', 'thing']);
  });

  it('meets the effect at each n-th call', async () => {
    const effect = { kind: 'named', name: 'truncate' } as const;
    await faults.add({ operation: 'thing.read', every: 3, times: 'always', effect });
    const answers: string[] = [];
    for (let call = 0; call < 7; call += 1) answers.push(await read());
    expect(answers).toEqual(['thing', 'thing', 'th', 'thing', 'thing', 'th', 'thing']);
  });

  it('answers 429 beyond so many calls of any kind within a second', async () => {
    const effect = { kind: 'limit', callsPerSecond: 2, headers: { 'retry-after': '1' } } as const;
    await faults.add({ operation: 'any', times: 'always', effect });
    const answers = await Promise.all(['1', '2', '3', '4'].map((id) => read(id)));
    expect(answers.toSorted()).toEqual(['', '', 'thing', 'thing']);
    await expect.poll(() => read(), { timeout: 10_000 }).toBe('thing');
  });

  it('answers instead of the work', async () => {
    await faults.add({
      operation: 'thing.read',
      effect: { kind: 'answer', status: 502, body: '<html>', headers: { 'retry-after': '3' } },
    });
    const response = await fetch(`${standIn.url}/things/1`);
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      502,
      '3',
      '<html>',
    ]);
    expect(worksDone).toBe(0);
  });

  it.each([
    ['reset-before', 0],
    ['reset-after', 1],
  ] as const)(
    '%s loses the answer with %i works done, and the ledger knows no status',
    async (kind, done) => {
      await faults.add({ operation: 'thing.read', effect: { kind } });
      await expect(read()).rejects.toThrow();
      expect(worksDone).toBe(done);
      expect((await faults.ledger()).calls).toMatchObject([{ subject: '1', status: null }]);
      expect(await read()).toBe('thing');
    },
  );

  it('hangs until the caller goes, and does not keep the server from closing', async () => {
    await faults.add({ operation: 'thing.read', effect: { kind: 'hang' } });
    const hanging = expect(read()).rejects.toThrow();
    await eventually(async () =>
      expect((await faults.ledger()).counts).toEqual({ 'thing.read': 1 }),
    );
    await standIn.close();
    await hanging;
  });

  it('delays in front of another effect, and only for the subject named', async () => {
    await faults.add(
      { operation: 'thing.read', subject: '7', effect: { kind: 'delay', ms: 1 } },
      { operation: 'thing.read', subject: '7', effect: { kind: 'named', name: 'truncate' } },
    );
    expect([await read('8'), await read('7')]).toEqual(['thing', 'th']);
  });

  it.each([
    { operation: 'thing.write', effect: { kind: 'hang' } },
    { operation: 'thing.read', effect: { kind: 'named', name: 'trunkate' } },
    { operation: 'thing.list', effect: { kind: 'named', name: 'truncate' } },
  ] as const)('refuses a rule that could never apply: %j', async (rule) => {
    await expect(faults.add(rule)).rejects.toThrow('400');
  });

  it('forgets rules and calls on demand', async () => {
    await faults.add({
      operation: 'thing.read',
      times: 'always',
      effect: { kind: 'reset-before' },
    });
    await faults.clear();
    expect(await read()).toBe('thing');
    await faults.clearLedger();
    expect(await faults.ledger()).toEqual({ counts: {}, calls: [] });
  });
});
