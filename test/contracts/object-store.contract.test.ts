/** What every blob store must do, and what we rely on in Supabase's server beyond the port. */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from '@supabase/supabase-js';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { SupabaseObjectStore } from '../../src/storage/supabase-object-store.ts';
import { MAX_FILE_BYTES, type StorageTarget, storageTargets } from './storage-targets.ts';

const pdf = { contentType: 'application/pdf' };
const cap = { maxBytes: MAX_FILE_BYTES };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const expectRejection = (promise: Promise<unknown>, code: ErrorCode) =>
  expect(promise).rejects.toMatchObject({ name: 'IntakeError', code });

describe.each(storageTargets)('object store on $name', ({ start }) => {
  let target: StorageTarget;
  let store: ObjectStore;
  let folder: string;
  const key = (name: string = randomUUID()) => `${folder}${name}`;
  const readText = async (objectKey: string) =>
    (await buffer(await store.read(objectKey, cap))).toString();
  const putTo = (url: string, body: string, contentType = 'application/pdf') =>
    fetch(url, { method: 'PUT', body, headers: { 'content-type': contentType } });
  const refusalOf = async (response: Response) => {
    const { statusCode, code } = (await response.json()) as Record<string, string>;
    return { status: response.status, statusCode, code };
  };

  beforeAll(async () => {
    target = await start();
    store = new SupabaseObjectStore(target);
    folder = `uploads/${randomUUID()}/`;
  });
  afterAll(() => target.close());

  describe('objects', () => {
    it('come back as they were put, with size and type', async () => {
      const objectKey = key();
      await store.put(objectKey, text('a policy'), { contentType: 'text/markdown' });
      expect(await store.stat(objectKey)).toMatchObject({
        modifiedAt: expect.any(Date),
        sizeBytes: 8,
        contentType: 'text/markdown',
      });
      expect(await readText(objectKey)).toBe('a policy');
    });

    it('may be empty', async () => {
      const objectKey = key();
      await store.put(objectKey, new Uint8Array(), pdf);
      expect(await store.stat(objectKey)).toMatchObject({ sizeBytes: 0 });
      expect(await readText(objectKey)).toBe('');
    });

    it('are replaced by a second put', async () => {
      const objectKey = key();
      await store.put(objectKey, text('first'), pdf);
      await store.put(objectKey, Readable.from([text('sec'), text('ond')]), pdf);
      expect(await readText(objectKey)).toBe('second');
    });

    it('stream both ways without ever lying whole in memory', async () => {
      const objectKey = key();
      const sent = createHash('sha256');
      const received = createHash('sha256');
      const watch = watchMemory();
      const size = 20_000_000;
      await store.put(objectKey, Readable.from(noise(size, sent, watch.sample)), pdf);
      for await (const chunk of await store.read(objectKey, cap)) {
        received.update(chunk);
        await watch.sample();
      }
      expect(received.digest('hex')).toBe(sent.digest('hex'));
      expect(watch.mostHeld()).toBeLessThan(size / 2);
    });

    it.each([["it's (1) &$=@;:+,! *.pdf"], ['a.b..c'], ['nested/deeper/file'], ['x'.repeat(180)]])(
      'may have the key %s',
      async (name) => {
        await store.put(key(name), text(name), pdf);
        expect(await readText(key(name))).toBe(name);
        expect(await store.list(folder)).toContain(key(name));
        await store.remove([key(name)]);
      },
    );

    it.each([
      '',
      '/leading',
      'ambiguous/cut#here',
      'ambiguous/cut?here',
      'ambiguous/100%41',
      'ambiguous/police d’assurance',
      'ambiguous/../escaped',
      'ambiguous/./here',
      'ambiguous//doubled',
      'ambiguous/trailing/',
      'ambiguous/back\\slash',
      'ambiguous/padded ',
    ])('are never touched under the ambiguous key "%s"', async (ambiguous) => {
      await expectRejection(store.put(ambiguous, text('x'), pdf), 'STORAGE_FORBIDDEN');
      await expectRejection(store.stat(ambiguous), 'STORAGE_FORBIDDEN');
      await expectRejection(store.remove([ambiguous]), 'STORAGE_FORBIDDEN');
      expect(await store.list('ambiguous/')).toEqual([]);
    });
  });

  it('lists one folder page by page, and what lies deeper as folders', async () => {
    const names = Array.from({ length: 120 }, (_, n) => `${1000 + n}`);
    const prefix = `${key()}/`;
    await Promise.all(names.map((name) => store.put(`${prefix}${name}`, text(name), pdf)));
    await store.put(`${prefix}deep/er`, text('x'), pdf);
    expect(await Array.fromAsync(store.entries(prefix))).toEqual([
      ...names.map((name) => ({ name, isFolder: false })),
      { name: 'deep', isFolder: true },
    ]);
    await store.remove([...names, 'deep/er'].map((name) => `${prefix}${name}`));
  });

  describe('what is missing, refused or down', () => {
    const calls: [string, (subject: ObjectStore, objectKey: string) => Promise<unknown>][] = [
      ['stat', (subject, objectKey) => subject.stat(objectKey)],
      ['read', (subject, objectKey) => subject.read(objectKey, cap)],
      ['copy', (subject, objectKey) => subject.copy(objectKey, `${objectKey}-copy`)],
      ['put', (subject, objectKey) => subject.put(objectKey, text('x'), pdf)],
      ['signUpload', (subject, objectKey) => subject.signUpload(objectKey)],
      ['list', (subject, objectKey) => subject.list(`${objectKey}/`)],
      ['entries', (subject, objectKey) => Array.fromAsync(subject.entries(`${objectKey}/`))],
      ['remove', (subject, objectKey) => subject.remove([objectKey])],
    ];

    it.each(calls.slice(0, 3))('%s of an absent object says absent', async (_name, call) => {
      await expectRejection(call(store, key()), 'STORAGE_OBJECT_ABSENT');
    });

    it.each(calls)('%s with a wrong key says forbidden, never absent', async (_name, call) => {
      const wrong = new SupabaseObjectStore({ ...target, serviceRoleKey: 'a-wrong-service-key' });
      await expectRejection(call(wrong, key()), 'STORAGE_FORBIDDEN');
    });

    it.each(calls)('%s in a missing bucket says forbidden, never absent', async (_name, call) => {
      const lost = new SupabaseObjectStore({ ...target, bucket: 'no-such-bucket' });
      await expectRejection(call(lost, key()), 'STORAGE_FORBIDDEN');
    });

    it.each(calls)('%s on a server that is down says unavailable', async (_name, call) => {
      const url = `http://127.0.0.1:${await getPort()}`;
      const down = new SupabaseObjectStore({ ...target, url });
      await expectRejection(call(down, key()), 'STORAGE_UNAVAILABLE');
    });

    it('removes what is absent without an error', async () => {
      await expect(store.remove([key(), key()])).resolves.toBeUndefined();
      await expect(store.remove([])).resolves.toBeUndefined();
    });
  });

  describe('limits', () => {
    it('reads up to the cap and not a byte beyond', async () => {
      const objectKey = key();
      await store.put(objectKey, text('12345'), pdf);
      expect(await buffer(await store.read(objectKey, { maxBytes: 5 }))).toHaveLength(5);
      await expectRejection(store.read(objectKey, { maxBytes: 4 }), 'DOCUMENT_TOO_LARGE');
    });

    it('refuses an object over the limit of the bucket', async () => {
      const objectKey = key();
      const tooLarge = new Uint8Array(MAX_FILE_BYTES + 1);
      await expectRejection(store.put(objectKey, tooLarge, pdf), 'DOCUMENT_TOO_LARGE');
      await expectRejection(store.stat(objectKey), 'STORAGE_OBJECT_ABSENT');
    });

    it("ends in the caller's own reason when the caller aborts", async () => {
      const reason = new Error('cancelled');
      await expect(store.stat(key(), AbortSignal.abort(reason))).rejects.toBe(reason);

      const objectKey = key();
      await store.put(objectKey, new Uint8Array(5_000_000), pdf);
      const controller = new AbortController();
      const body = await store.read(objectKey, { ...cap, signal: controller.signal });
      const consumed = buffer(body);
      controller.abort(reason);
      await expect(consumed).rejects.toBe(reason);
    });

    it("ends in the source's own error when the source breaks, and stores nothing", async () => {
      const objectKey = key();
      async function* tooMuch(): AsyncGenerator<Uint8Array> {
        yield text('some');
        throw new IntakeError('DOCUMENT_TOO_LARGE');
      }
      await expectRejection(
        store.put(objectKey, Readable.from(tooMuch()), pdf),
        'DOCUMENT_TOO_LARGE',
      );
      await expectRejection(store.stat(objectKey), 'STORAGE_OBJECT_ABSENT');
    });
  });

  describe('signed uploads', () => {
    it('take a bare PUT, once, until they expire', async () => {
      const objectKey = key();
      const { url, expiresAt } = await store.signUpload(objectKey);
      expect(new URL(url).origin).toBe(new URL(target.url).origin);
      expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
      expect((await putTo(url, 'first')).status).toBe(200);
      expect(await store.stat(objectKey)).toMatchObject({ sizeBytes: 5, ...pdf });
      const again = await refusalOf(await putTo(url, 'second'));
      expect(again).toMatchObject({ status: 400, statusCode: '409' });
      expect(await readText(objectKey)).toBe('first');
    });

    it('are bound to one key and one signature', async () => {
      const { url } = await store.signUpload(key('signed'));
      const elsewhere = await putTo(url.replace('/signed?', '/other?'), 'x');
      expect(await refusalOf(elsewhere)).toMatchObject({ status: 400, code: 'InvalidSignature' });
      const tampered = await putTo(`${url.slice(0, -6)}AAAAAA`, 'x');
      expect(await refusalOf(tampered)).toMatchObject({ status: 400, code: 'InvalidJWT' });
      await expectRejection(store.stat(key('other')), 'STORAGE_OBJECT_ABSENT');
    });

    it('are not exclusive: racing PUTs leave one of their bodies whole', async () => {
      const objectKey = key();
      const { url } = await store.signUpload(objectKey);
      const bodies = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000));
      const responses = await Promise.all(bodies.map((body) => putTo(url, body)));
      const accepted = bodies.filter((_body, index) => responses[index]?.status === 200);
      expect(accepted.length).toBeGreaterThan(0);
      expect(accepted).toContain(await readText(objectKey));
    });

    it('may be used late: what was copied stays as it was', async () => {
      const [uploadKey, privateKey] = [key(), key()];
      const { url } = await store.signUpload(uploadKey);
      await putTo(url, 'checked');
      await store.copy(uploadKey, privateKey);
      await store.remove([uploadKey]);
      expect((await putTo(url, 'changed')).status).toBe(200);
      expect(await readText(uploadKey)).toBe('changed');
      expect(await readText(privateKey)).toBe('checked');
    });

    it('keep the limit of the bucket', async () => {
      const { url } = await store.signUpload(key());
      const response = await putTo(url, 'x'.repeat(MAX_FILE_BYTES + 1));
      expect(await refusalOf(response)).toMatchObject({ status: 400, statusCode: '413' });
    });

    it('take a Blob from supabase-js', async () => {
      const objectKey = key();
      const { url } = await store.signUpload(objectKey);
      const { error } = await createClient(target.url, target.serviceRoleKey)
        .storage.from(target.bucket)
        .uploadToSignedUrl(
          objectKey,
          new URL(url).searchParams.get('token') ?? '',
          new Blob(['from a page'], { type: 'text/html' }),
        );
      expect(error).toBeNull();
      expect(await store.stat(objectKey)).toMatchObject({
        sizeBytes: 11,
        contentType: 'text/html',
      });
      expect(await readText(objectKey)).toBe('from a page');
    });
  });

  describe('copies', () => {
    it('hold the bytes and the type', async () => {
      const [from, to] = [key(), key()];
      await store.put(from, text('bytes'), pdf);
      await store.copy(from, to);
      expect(await store.stat(to)).toMatchObject({ sizeBytes: 5, ...pdf });
      expect(await readText(to)).toBe('bytes');
    });

    it('resolve when repeated and never overwrite', async () => {
      const [from, to] = [key(), key()];
      await store.put(from, text('before'), pdf);
      await store.copy(from, to);
      await store.put(from, text('after'), pdf);
      await store.copy(from, to);
      expect(await readText(to)).toBe('before');
    });
  });

  describe('lists and removals', () => {
    it('name everything below a prefix, over many pages and folders, and nothing beside it', async () => {
      const root = `${folder}many/`;
      const keys = Array.from(
        { length: 105 },
        (_, n) => `${root}flat/${String(n).padStart(3, '0')}`,
      );
      keys.push(`${root}deep/er/one`, `${root}deep/two`, `${root}top`);
      const all = [...keys, `${folder}many-more/beside`, `${folder}many`];
      await Promise.all(all.map((objectKey) => store.put(objectKey, text('x'), pdf)));
      expect([...(await store.list(root))].sort()).toEqual(keys.sort());

      await store.remove(keys);
      expect(await store.list(root)).toEqual([]);
      expect(await store.list(`${folder}many-more/`)).toEqual([`${folder}many-more/beside`]);
    });
  });

  it('answers a range of bytes', async () => {
    const objectKey = key();
    await store.put(objectKey, text('0123456789'), pdf);
    const response = await fetch(`${target.url}/storage/v1/object/${target.bucket}/${objectKey}`, {
      headers: {
        apikey: target.serviceRoleKey,
        authorization: `Bearer ${target.serviceRoleKey}`,
        range: 'bytes=2-4',
      },
    });
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual(
      [206, 'bytes 2-4/10', '234'],
    );
  });
});

/** `size` bytes in small chunks that do not repeat, hashed on their way. */
async function* noise(
  size: number,
  hash: ReturnType<typeof createHash>,
  sample: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < size; sent += 50_000) {
    const chunk = Buffer.alloc(50_000, String(sent));
    hash.update(chunk);
    await sample();
    yield chunk;
  }
}

/** What is held outside the heap while chunks pass, each time after a collection, against the beginning. */
function watchMemory(): { sample: () => Promise<void>; mostHeld: () => number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  let samples = 0;
  let most = 0;
  return {
    async sample() {
      samples += 1;
      if (samples % 50 !== 0) return;
      // Backing stores are freed a turn after their buffers are found dead.
      collect();
      await setImmediate();
      most = Math.max(most, held() - before);
    },
    mostHeld: () => most,
  };
}
