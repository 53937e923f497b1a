/** The stand-in speaks as the real server was seen to speak: rows beyond what the object store's contract reaches. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSignedTokens } from '../../../src/dev/storage-stand-in/signed-tokens.ts';
import { type StandInTarget, startStandInTarget } from '../../contracts/storage-targets.ts';

describe('storage stand-in', () => {
  let target: StandInTarget;
  let base: string;
  const files = (bucket = target.bucket, key = target.serviceRoleKey) =>
    createClient(target.url, key).storage.from(bucket);
  const send = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${base}${path}`, {
      method,
      ...init,
      headers: {
        apikey: target.serviceRoleKey,
        authorization: `Bearer ${target.serviceRoleKey}`,
        ...init.headers,
      },
    });
  const json = (value: unknown): RequestInit => ({
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });
  const refusalOf = async (pending: Promise<Response>) => {
    const response = await pending;
    const { statusCode, code } = (await response.json()) as Record<string, string>;
    return [response.status, statusCode, code];
  };

  beforeAll(async () => {
    target = await startStandInTarget();
    base = `${target.url}/storage/v1`;
    await send('PUT', '/object/files/there', { body: '0123456789' });
    const buckets = createClient(target.url, target.serviceRoleKey).storage;
    await buckets.createBucket('pictures', { public: false, allowedMimeTypes: ['image/*'] });
  });
  afterAll(() => target.close());

  it.each<[string, string, string, RequestInit, [number, string, string]]>([
    ['download of a missing object', 'GET', '/object/files/no', {}, [400, '404', 'NoSuchKey']],
    ['info of a missing object', 'GET', '/object/info/files/no', {}, [400, '404', 'NoSuchKey']],
    [
      'signing a missing object',
      'POST',
      '/object/sign/files/no',
      json({ expiresIn: 9 }),
      [400, '404', 'NoSuchKey'],
    ],
    ['a missing bucket', 'GET', '/object/none/there', {}, [400, '404', 'NoSuchBucket']],
    [
      'upload on an existing key',
      'POST',
      '/object/files/there',
      { body: 'x' },
      [400, '409', 'KeyAlreadyExists'],
    ],
    [
      'signing an upload on an existing key',
      'POST',
      '/object/upload/sign/files/there',
      json({}),
      [400, '409', 'KeyAlreadyExists'],
    ],
    [
      'a type that is not allowed',
      'POST',
      '/object/pictures/a',
      { body: 'x', headers: { 'content-type': 'text/html' } },
      [400, '415', 'InvalidMimeType'],
    ],
    [
      'a key with a letter outside ASCII',
      'POST',
      '/object/files/%C3%BC',
      { body: 'x' },
      [400, '400', 'InvalidKey'],
    ],
    [
      'a range beyond the end',
      'GET',
      '/object/files/there',
      { headers: { range: 'bytes=10-' } },
      [400, '400', 'InvalidRange'],
    ],
    [
      'a bucket that exists',
      'POST',
      '/bucket',
      json({ name: 'files' }),
      [400, '409', 'BucketAlreadyExists'],
    ],
    [
      'a body that is no JSON',
      'POST',
      '/object/copy',
      { ...json({}), body: '{' },
      [400, '400', 'InvalidRequest'],
    ],
  ])('refuses %s', async (_case, method, path, init, expected) => {
    expect(await refusalOf(send(method, path, init))).toEqual(expected);
  });

  it("asks for the gateway's key first", async () => {
    const response = await fetch(`${base}/object/files/there`);
    expect([response.status, await response.json()]).toEqual([
      401,
      { message: 'No API key found in request' },
    ]);
  });

  describe('signed tokens', () => {
    const put = (token: string, key = 'signed') =>
      fetch(`${base}/object/upload/sign/files/${key}?token=${token}`, { method: 'PUT', body: 'x' });

    it('carry the claims of the real ones', async () => {
      const { data } = await files().createSignedUploadUrl('claims');
      const claims = decodeJwt(data?.token ?? '');
      expect(claims).toMatchObject({ url: 'files/claims', upsert: false, scope: 'upload' });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(7200);
    });

    it('are refused when expired, and when meant for downloads', async () => {
      const ours = createSignedTokens(`${target.serviceRoleKey}/signed-urls`);
      const upload = { url: 'files/signed', scope: 'upload', upsert: false } as const;
      expect(await refusalOf(put(await ours.sign(upload, -1)))).toEqual([400, '400', 'InvalidJWT']);
      const { data } = await files().createSignedUrl('there', 60);
      const token = new URL(data?.signedUrl ?? '').searchParams.get('token') ?? '';
      expect(await refusalOf(put(token, 'there'))).toEqual([400, '400', 'InvalidSignature']);
    });

    it('overwrite only when upsert was set at signing', async () => {
      const { data } = await files().createSignedUploadUrl('there', { upsert: true });
      expect((await put(data?.token ?? '', 'there')).status).toBe(200);
      await send('PUT', '/object/files/there', { body: '0123456789' });
    });

    it('let anybody download who has the URL', async () => {
      const { data } = await files().createSignedUrl('there', 60);
      expect(await (await fetch(data?.signedUrl ?? '')).text()).toBe('0123456789');
    });
  });

  it('keeps metadata of raw and of multipart uploads', async () => {
    const metadata = { sha256: 'abc' };
    await files().upload('raw', Buffer.from('<p>'), { contentType: 'text/html', metadata });
    await files().upload('form', new Blob(['<p>'], { type: 'text/html' }), { metadata });
    for (const key of ['raw', 'form']) {
      const { data } = await files().info(key);
      expect(data).toMatchObject({ size: 3, contentType: 'text/html', metadata });
    }
    const { headers } = await send('GET', '/object/files/raw');
    expect(headers.get('content-type')).toBe('text/plain');
  });

  it('answers 304 to a known etag, and ranges open on either side', async () => {
    const { headers } = await send('GET', '/object/files/there');
    const known = { 'if-none-match': headers.get('etag') ?? '' };
    expect((await send('GET', '/object/files/there', { headers: known })).status).toBe(304);
    const range = async (value: string) =>
      (await send('GET', '/object/files/there', { headers: { range: value } })).text();
    expect([await range('bytes=7-'), await range('bytes=-2'), await range('bytes=8-99')]).toEqual([
      '789',
      '89',
      '89',
    ]);
  });

  it('lists 100 rows unless told, folders without an id, and nothing of a missing bucket', async () => {
    const names = [...Array(101).keys(), 'folder/x'];
    await Promise.all(
      names.map((name) => send('PUT', `/object/files/listed/${name}`, { body: 'x' })),
    );
    const first = await files().list('listed');
    const rest = await files().list('listed', { offset: 100 });
    expect([first.data?.length, rest.data?.length]).toEqual([100, 2]);
    expect(rest.data?.at(-1)).toMatchObject({ name: 'folder', id: null });
    expect(await files('none').list('listed')).toMatchObject({ data: [], error: null });
  });

  it('lets a page PUT from another origin', async () => {
    const response = await fetch(`${base}/object/upload/sign/files/x`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://127.0.0.1:8080',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(response.headers.get('access-control-allow-headers')).toBe('content-type');
  });

  it('stores nothing of an upload that breaks off', async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.alloc(100_000));
        controller.error(new Error('page closed'));
      },
    });
    const upload = send('POST', '/object/files/broken', { body: broken, duplex: 'half' });
    await expect(upload).rejects.toThrow();
    await expect.poll(() => readdir(join(target.dataFolder, 'files', 'incoming'))).toEqual([]);
    expect(await refusalOf(send('GET', '/object/files/broken'))).toEqual([400, '404', 'NoSuchKey']);
  });
});
