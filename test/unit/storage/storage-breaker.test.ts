import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ErrorCode, IntakeError } from '../../../src/domain/errors.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { type BreakerState, withBreaker } from '../../../src/storage/storage-breaker.ts';

const stat = { sizeBytes: 1, contentType: 'text/plain', modifiedAt: new Date(0) };
const cap = { maxBytes: 10 };

/** A store whose next answers are scripted by `answer`. */
function scriptedStore() {
  let answer: () => Promise<void> = async () => undefined;
  let calls = 0;
  const call = async () => {
    calls += 1;
    await answer();
  };
  const store: ObjectStore = {
    signUpload: async () => {
      await call();
      return { url: 'http://127.0.0.1', expiresAt: new Date() };
    },
    put: call,
    copy: call,
    remove: call,
    list: () => call().then(() => []),
    async *entries() {
      await call();
      yield* [];
    },
    stat: () => call().then(() => stat),
    read: () => call().then(() => Readable.from([Buffer.from('x')])),
  };
  return {
    store,
    calls: () => calls,
    succeed() {
      answer = async () => undefined;
    },
    fail(error: unknown) {
      answer = () => Promise.reject(error);
    },
    wait() {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      answer = () => promise;
      return { resolve, reject };
    },
  };
}

describe('withBreaker', () => {
  let script: ReturnType<typeof scriptedStore>;
  let guarded: ObjectStore;
  let states: BreakerState[];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    script = scriptedStore();
    states = [];
    guarded = withBreaker(script.store, { onStateChange: (state) => states.push(state) });
  });
  afterEach(() => vi.useRealTimers());

  const fails = (code: ErrorCode) => script.fail(new IntakeError(code));
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'ok',
      (error: unknown) => (error instanceof IntakeError ? error.code : error),
    );
  const openIt = async () => {
    fails('STORAGE_UNAVAILABLE');
    for (let n = 0; n < 5; n += 1) await codeOf(guarded.stat('k'));
  };

  it.each(['STORAGE_UNAVAILABLE', 'STORAGE_FORBIDDEN'] as const)(
    'opens after five times %s over stat, read and copy, and calls storage no more',
    async (code) => {
      fails(code);
      const calls = [
        () => guarded.stat('k'),
        () => guarded.read('k', cap),
        () => guarded.copy('k', 'l'),
        () => guarded.stat('k'),
        () => guarded.read('k', cap),
      ];
      for (const call of calls) expect(await codeOf(call())).toBe(code);
      vi.setSystemTime(Date.now() + 20_000);
      for (const call of calls) {
        await expect(call()).rejects.toMatchObject({
          code: 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
          retryAfterMs: 40_000,
        });
      }
      expect(script.calls()).toBe(5);
      expect(states).toEqual(['open']);
    },
  );

  it('never opens on absent objects, too large ones, or callers that give up', async () => {
    const harmless = fc.constantFrom<unknown>(
      new IntakeError('STORAGE_OBJECT_ABSENT'),
      new IntakeError('DOCUMENT_TOO_LARGE'),
      new Error('cancelled'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(harmless, { minLength: 5, maxLength: 30 }), async (errors) => {
        for (const error of errors) {
          script.fail(error);
          await expect(guarded.stat('k')).rejects.toBe(error);
        }
        expect(states).toEqual([]);
      }),
    );
  });

  it('forgets failures after a minute', async () => {
    fails('STORAGE_UNAVAILABLE');
    for (let n = 0; n < 12; n += 1) {
      expect(await codeOf(guarded.stat('k'))).toBe('STORAGE_UNAVAILABLE');
      vi.setSystemTime(Date.now() + 15_001);
    }
    expect(states).toEqual([]);
  });

  it('sends one probe after a minute; the others go on failing fast until it is over', async () => {
    await openIt();
    vi.setSystemTime(Date.now() + 60_000);
    const probe = script.wait();
    const probing = guarded.stat('k');
    expect(await codeOf(guarded.stat('k'))).toBe('FILE_ACCESS_CIRCUIT_BREAKER_OPEN');
    expect(script.calls()).toBe(6);
    probe.resolve();
    expect(await probing).toEqual(stat);
    expect(await guarded.stat('k')).toEqual(stat);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it.each([
    ['storage still fails', new IntakeError('STORAGE_UNAVAILABLE'), 'open'],
    ['its caller gave up', new Error('cancelled'), 'open'],
    [
      'storage answers that the object is absent',
      new IntakeError('STORAGE_OBJECT_ABSENT'),
      'closed',
    ],
  ] as const)(
    'a probe after which %s: leaves the circuit as it must',
    async (_case, error, state) => {
      await openIt();
      vi.setSystemTime(Date.now() + 60_000);
      script.fail(error);
      await expect(guarded.stat('k')).rejects.toBe(error);
      expect(states).toEqual(['open', 'half-open', state]);
    },
  );

  it('counts bodies that are cut short, and none that a reader leaves early', async () => {
    const bodies: Readable[] = [];
    const store = {
      ...script.store,
      read: async () => {
        const body = new Readable({ read: () => undefined });
        bodies.push(body);
        return body;
      },
    };
    const streaming = withBreaker(store, { onStateChange: (state) => states.push(state) });
    for (let n = 0; n < 5; n += 1) {
      const body = await streaming.read('k', cap);
      body.destroy();
      await once(body, 'close');
    }
    expect(await codeOf(streaming.stat('k'))).toBe('ok');
    for (let n = 0; n < 5; n += 1) {
      const cut = buffer(await streaming.read('k', cap));
      bodies.at(-1)?.destroy(new IntakeError('STORAGE_UNAVAILABLE'));
      expect(await codeOf(cut)).toBe('STORAGE_UNAVAILABLE');
    }
    expect(await codeOf(streaming.stat('k'))).toBe('FILE_ACCESS_CIRCUIT_BREAKER_OPEN');
  });

  it('lets writes, lists and removals pass while open', async () => {
    await openIt();
    script.succeed();
    await guarded.put('k', Buffer.from('x'), { contentType: 'text/plain' });
    expect(await guarded.list('k/')).toEqual([]);
    await guarded.remove(['k']);
    expect(await guarded.signUpload('k')).toMatchObject({ url: 'http://127.0.0.1' });
  });
});
