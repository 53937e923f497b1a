/** How the adapter meets a storage server that fails: each fault of the script, and the one outcome it must have. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { SupabaseObjectStore } from '../../src/storage/supabase-object-store.ts';
import { type StandInTarget, startStandInTarget } from './storage-targets.ts';

const pdf = { contentType: 'application/pdf' };
const cap = { maxBytes: 1_000_000 };
const bytes = Buffer.from('0123456789');
const expectRejection = (promise: Promise<unknown>, code: ErrorCode) =>
  expect(promise).rejects.toMatchObject({ name: 'IntakeError', code });

describe('object store on failing storage', () => {
  let target: StandInTarget;
  let store: ObjectStore;
  const key = 'uploads/owner/object';
  const readAll = async (subject = store) => buffer(await subject.read(key, cap));

  beforeAll(async () => {
    target = await startStandInTarget();
    store = new SupabaseObjectStore(target);
  });
  beforeEach(async () => {
    await target.faults.clear();
    await store.remove(await store.list('uploads/'));
    await store.put(key, bytes, pdf);
  });
  afterAll(() => target.close());

  const calls: [string, () => Promise<unknown>][] = [
    ['object.info', () => store.stat(key)],
    ['object.read', () => readAll()],
    ['object.copy', () => store.copy(key, `${key}-copy`)],
    ['object.upload', () => store.put(key, bytes, pdf)],
    ['object.sign-upload', () => store.signUpload(`${key}-fresh`)],
    ['object.list', () => store.list('uploads/')],
    ['object.remove', () => store.remove([key])],
  ];

  describe.each(calls)('%s', (operation, call) => {
    it.each([
      ['502 with HTML', { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' }],
      ['503 inside a 400', refusal('503', 'DatabaseReadOnly')],
      ['408', { kind: 'answer', status: 408, body: 'timeout' }],
      ['a reset before the work', { kind: 'reset-before' }],
      ['a reset after the work', { kind: 'reset-after' }],
    ] as const)('meets %s as unavailable, and works again after it', async (_name, effect) => {
      await target.faults.add({ operation, effect });
      await expectRejection(call(), 'STORAGE_UNAVAILABLE');
      await expect(call()).resolves.not.toThrow();
    });

    it('meets 429 as unavailable and says when to come back', async () => {
      await target.faults.add({
        operation,
        effect: { kind: 'answer', status: 429, headers: { 'retry-after': '7' } },
      });
      await expect(call()).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
        retryAfterMs: 7000,
      });
    });

    it('meets a redirect as unavailable and follows it nowhere', async () => {
      const location = `${target.url}/__ledger`;
      await target.faults.add({
        operation,
        effect: { kind: 'answer', status: 307, headers: { location } },
      });
      await expectRejection(call(), 'STORAGE_UNAVAILABLE');
    });
  });

  it.each(calls.filter(([operation]) => operation !== 'object.read'))(
    '%s meets a 200 with HTML as unavailable',
    async (operation, call) => {
      await target.faults.add({
        operation,
        effect: { kind: 'answer', status: 200, body: '<html>Welcome to this network</html>' },
      });
      await expectRejection(call(), 'STORAGE_UNAVAILABLE');
    },
  );

  it('gives up on a server that hangs when its deadline is over', async () => {
    const hasty = new SupabaseObjectStore({ ...target, callTimeoutMs: 50 });
    await target.faults.add({ operation: 'object.info', effect: { kind: 'hang' } });
    await expectRejection(hasty.stat(key), 'STORAGE_UNAVAILABLE');
    await target.faults.add({ operation: 'object.read', effect: { kind: 'hang' } });
    await expectRejection(hasty.read(key, cap), 'STORAGE_UNAVAILABLE');
  });

  describe('bodies', () => {
    it.each([
      ['ends early with a reset', 'truncate'],
      ['ends early and has no stated length', 'shorten'],
    ])('one that %s is unavailable, not corrupt', async (_name, name) => {
      await target.faults.add({
        operation: 'object.read',
        effect: { kind: 'named', name, value: 4 },
      });
      await expectRejection(readAll(), 'STORAGE_UNAVAILABLE');
      expect(await readAll()).toEqual(bytes);
    });

    it('one that stalls is given up when the transfer takes too long', async () => {
      const hasty = new SupabaseObjectStore({ ...target, transferTimeoutMs: 50 });
      await target.faults.add({
        operation: 'object.read',
        effect: { kind: 'named', name: 'stall', value: 4 },
      });
      await expectRejection(readAll(hasty), 'STORAGE_UNAVAILABLE');
    });

    it('one without a stated length is read whole when nothing is missing', async () => {
      await target.faults.add({
        operation: 'object.read',
        effect: { kind: 'named', name: 'shorten', value: bytes.length },
      });
      expect(await readAll()).toEqual(bytes);
    });

    it('one that was changed on its way is delivered: only its checksum can tell', async () => {
      await target.faults.add({
        operation: 'object.read',
        effect: { kind: 'named', name: 'change' },
      });
      expect(await readAll()).not.toEqual(bytes);
    });
  });

  describe('missing or refused', () => {
    it('an object that is visible late is absent until then', async () => {
      const hidden = { kind: 'named', name: 'hide' } as const;
      await target.faults.add({ operation: 'object.info', times: 2, effect: hidden });
      await expectRejection(store.stat(key), 'STORAGE_OBJECT_ABSENT');
      await expectRejection(store.stat(key), 'STORAGE_OBJECT_ABSENT');
      await expect(store.stat(key)).resolves.toMatchObject({ sizeBytes: bytes.length });
    });

    it('a refusal dressed as a missing object is forbidden', async () => {
      const effect = { kind: 'named', name: 'forbid-as-missing' } as const;
      await target.faults.add(
        { operation: 'object.info', effect },
        { operation: 'bucket.read', effect },
      );
      await expectRejection(store.stat(key), 'STORAGE_FORBIDDEN');
    });

    it('a missing object proves nothing while the control read fails', async () => {
      await target.faults.add({
        operation: 'bucket.read',
        effect: { kind: 'answer', status: 502, body: '<html>' },
      });
      await expectRejection(store.stat('uploads/absent'), 'STORAGE_UNAVAILABLE');
    });

    it('the anon key, from which row-level security hides everything, is forbidden', async () => {
      const anon = new SupabaseObjectStore({ ...target, serviceRoleKey: target.anonKey });
      await expectRejection(anon.stat(key), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.read(key, cap), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.copy(key, `${key}-copy`), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.list('uploads/'), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.put(key, bytes, pdf), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.signUpload(`${key}-fresh`), 'STORAGE_FORBIDDEN');
      await expectRejection(anon.remove([key]), 'STORAGE_FORBIDDEN');
      expect(await readAll()).toEqual(bytes);
    });

    it('a removal that did nothing is not taken for one', async () => {
      await target.faults.add({
        operation: 'object.remove',
        effect: { kind: 'named', name: 'forbid-as-missing' },
      });
      await expectRejection(store.remove([key]), 'STORAGE_UNAVAILABLE');
    });
  });

  describe('writes', () => {
    it('a put whose answer was lost is there and may be repeated', async () => {
      await target.faults.add({ operation: 'object.upload', effect: { kind: 'reset-after' } });
      await expectRejection(store.put(`${key}-2`, bytes, pdf), 'STORAGE_UNAVAILABLE');
      expect(await store.stat(`${key}-2`)).toMatchObject({ sizeBytes: bytes.length });
      await store.put(`${key}-2`, Readable.from([bytes]), pdf);
    });

    it('a reset during a streamed put is unavailable', async () => {
      await target.faults.add({ operation: 'object.upload', effect: { kind: 'reset-before' } });
      const stream = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(50_000)));
      await expectRejection(store.put(`${key}-2`, stream, pdf), 'STORAGE_UNAVAILABLE');
    });

    it('a copy whose answer was lost resolves when repeated', async () => {
      await target.faults.add({ operation: 'object.copy', effect: { kind: 'reset-after' } });
      await expectRejection(store.copy(key, `${key}-copy`), 'STORAGE_UNAVAILABLE');
      await store.copy(key, `${key}-copy`);
      expect(await store.stat(`${key}-copy`)).toMatchObject({ sizeBytes: bytes.length });
    });

    it('a full disk is unavailable and leaves nothing behind', async () => {
      const filesOf = (part: string) => readdir(join(target.dataFolder, target.bucket, part));
      const before = await filesOf('bytes');
      await target.faults.add({
        operation: 'object.upload',
        effect: { kind: 'named', name: 'disk-full', value: 4 },
      });
      await expectRejection(store.put(`${key}-2`, bytes, pdf), 'STORAGE_UNAVAILABLE');
      expect(await store.list('uploads/')).toEqual([key]);
      expect(await filesOf('bytes')).toEqual(before);
      expect(await filesOf('incoming')).toEqual([]);
    });
  });

  it('quotes no key in what operators read', async () => {
    await target.faults.add({ operation: 'object.info', effect: refusal('400', 'InvalidKey') });
    const error = await store.stat(key).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ detail: 'storage answered 400 InvalidKey' });
  });
});

function refusal(statusCode: string, code: string) {
  return {
    kind: 'answer',
    status: 400,
    body: JSON.stringify({ statusCode, code, error: code, message: 'uploads/owner/object' }),
    headers: { 'content-type': 'application/json' },
  } as const;
}
