import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { apiUnderTest, newDocumentId, signToken } from '../../support/api-under-test.ts';

describe('correlation id', () => {
  test('is taken over when it is a UUID', async () => {
    const seen: string[] = [];
    const { request } = await apiUnderTest({
      documents: {
        listDocuments: async (caller) => {
          seen.push(caller.correlationId);
          return { documents: [], next: undefined };
        },
      },
    });
    const given = randomUUID();
    const headers = { 'x-correlation-id': given.toUpperCase() };
    const response = await request({ url: '/v1/documents', headers });
    expect(response.headers['x-correlation-id']).toBe(given);
    expect(seen).toEqual([given]);
  });

  test.each(['me', '', `${randomUUID()}\u00e9`, `{${randomUUID()}}`])(
    'is made anew for %j',
    async (given) => {
      const { request } = await apiUnderTest();
      const headers = { 'x-correlation-id': given };
      const response = await request({ url: '/v1/documents', headers });
      expect(response.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(given).not.toContain(response.headers['x-correlation-id']);
    },
  );
});

test('the log has the pattern of the route and nothing that a caller sent', async () => {
  const { request, anonymously, logs } = await apiUnderTest();
  const documentId = newDocumentId();
  await request({ url: `/v1/documents/${documentId}?name=Miller` });
  await request({ method: 'POST', url: '/v1/search', payload: { query: 'hip surgery of Miller' } });
  await request({ method: 'POST', url: '/v1/uploads', payload: { name: 'Miller.pdf' } });
  await anonymously({ url: '/Miller', headers: { 'user-agent': 'Miller' } });
  await anonymously({ url: '/v1/documents/%Miller' });
  await anonymously({ method: 'POST', url: '/webhooks/llamaparse/Miller' });
  const lines = logs.map((line) => JSON.parse(line));
  expect(lines).toContainEqual(
    expect.objectContaining({
      msg: 'request',
      method: 'GET',
      route: '/v1/documents/:id',
      status: 404,
      ms: expect.any(Number),
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ route: '/webhooks/llamaparse/:token', status: 404 }),
  );
  const all = logs.join('');
  for (const secret of ['Miller', documentId, 'Bearer', 'eyJ', 'hip']) {
    expect(all).not.toContain(secret);
  }
});

describe('limits', () => {
  test('are counted per owner', async () => {
    const { app, request } = await apiUnderTest({ settings: { maxRequestsPerMinute: 3 } });
    const statuses: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      statuses.push((await request({ url: '/v1/documents' })).statusCode);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await request({ url: '/v1/limits' });
    expect(refused.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429, retryable: true });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const authorization = `Bearer ${await signToken(randomUUID())}`;
    const other = await app.inject({ url: '/v1/documents', headers: { authorization } });
    expect(other.statusCode).toBe(200);
  });

  test('leave the probes of a supervisor alone', async () => {
    const { anonymously } = await apiUnderTest({ settings: { maxRequestsPerMinute: 1 } });
    for (let time = 0; time < 3; time += 1) {
      expect((await anonymously({ url: '/health/live' })).statusCode).toBe(200);
    }
  });
});

describe('while a development user exists', () => {
  const settings = { loopbackOnly: true };

  test.each([
    [{ host: 'localhost:8080' }],
    [{ host: '127.0.0.1' }],
    [{ host: '[::1]:8080' }],
    [{ host: 'LOCALHOST', origin: 'http://localhost:8080' }],
    [{ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:3000' }],
  ])('%j is trusted', async (headers) => {
    const { request } = await apiUnderTest({ settings });
    expect((await request({ url: '/v1/documents', headers })).statusCode).toBe(200);
  });

  test.each([
    [{ host: 'evil.example' }],
    [{ host: 'localhost.evil.example' }],
    [{ host: 'evil.example:8080', origin: 'http://localhost' }],
    [{ host: '127.0.0.1.nip.io' }],
    [{ host: '10.0.0.5' }],
    [{ host: '0.0.0.0' }],
    [{ host: 'localhost', origin: 'http://evil.example' }],
    [{ host: 'localhost', origin: 'http://localhost.evil.example' }],
    [{ host: 'localhost', origin: 'null' }],
  ])('%j is refused, on public routes as well', async (headers) => {
    const { request, anonymously } = await apiUnderTest({ settings });
    expect((await request({ url: '/v1/documents', headers })).statusCode).toBe(400);
    expect((await anonymously({ url: '/health/live', headers })).statusCode).toBe(400);
  });

  test('only then', async () => {
    const { request } = await apiUnderTest();
    const headers = { host: 'intake.example', origin: 'https://app.example' };
    expect((await request({ url: '/v1/documents', headers })).statusCode).toBe(200);
  });
});

describe('documentation', () => {
  test('is OpenAPI 3.1 with one name per operation', async () => {
    const { anonymously } = await apiUnderTest();
    const document = (await anonymously({ url: '/openapi.json' })).json();
    expect(document.openapi).toMatch(/^3\.1/);
    const operations = Object.values<object>(document.paths).flatMap((path) => Object.values(path));
    const names = operations.map(({ operationId }) => operationId);
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
    for (const { responses } of operations) {
      expect(responses.default.content).toHaveProperty(['application/problem+json']);
    }
    expect(
      Object.keys(document.components.schemas).filter((name) => name.endsWith('Input')),
    ).toEqual([]);
  });

  test('is a page that runs under the policy of all pages', async () => {
    const { anonymously } = await apiUnderTest();
    const page = await anonymously({ url: '/docs' });
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=/);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    for (const [, source = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await anonymously({ url: source })).statusCode, source).toBe(200);
    }
  });
});

test('pages may connect to the storage that takes the bytes, and to nothing else', async () => {
  const { anonymously } = await apiUnderTest({
    settings: { storageOrigin: 'https://storage.example' },
  });
  const { headers } = await anonymously({ url: '/health/live' });
  expect(headers['content-security-policy']).toContain(
    "connect-src 'self' https://storage.example;",
  );
  expect(headers['x-content-type-options']).toBe('nosniff');
});

test('close waits for the request under way', async () => {
  const answer = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { app, ownerId } = await apiUnderTest({
    documents: {
      listDocuments: async () => {
        started.resolve();
        await answer.promise;
        return { documents: [], next: undefined };
      },
    },
  });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const response = fetch(`${base}/v1/documents`, {
    headers: { authorization: `Bearer ${await signToken(ownerId)}` },
  });
  await started.promise;
  const closed = app.close();
  answer.resolve();
  expect((await response).status).toBe(200);
  await closed;
  await expect(fetch(`${base}/health/live`)).rejects.toThrow();
});
