import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { httpStatus } from '../../../src/api/problem.ts';
import { errorCodes, IntakeError } from '../../../src/domain/errors.ts';
import { apiUnderTest, newDocumentId } from '../../support/api-under-test.ts';

const declaration = {
  name: 'plan.pdf',
  type: 'application/pdf',
  sizeBytes: 10,
  sha256: 'b'.repeat(64),
};
const json = { 'content-type': 'application/json' };

test('a refusal says what, whose turn, whether to try again, and under which id it is logged', async () => {
  const { request } = await apiUnderTest();
  const response = await request({ url: `/v1/documents/${newDocumentId()}` });
  expect(response.statusCode).toBe(404);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toEqual({
    type: '/problems/NOT_FOUND',
    title: 'Not Found',
    status: 404,
    detail: errorCodes.NOT_FOUND.message,
    code: 'NOT_FOUND',
    turn: 'user',
    retryable: false,
    correlationId: response.headers['x-correlation-id'],
  });
});

test('what the person cannot mend is no 4xx, what only the person can mend is no 5xx', () => {
  for (const [code, status] of Object.entries(httpStatus)) {
    const { turn } = z.object({ turn: z.string() }).parse(Reflect.get(errorCodes, code));
    const ours = turn !== 'user' && code !== 'ATTEMPT_SUPERSEDED';
    expect(status >= 500, code).toBe(ours);
  }
});

test('Retry-After is given in whole seconds, rounded up', async () => {
  const { request } = await apiUnderTest({
    documents: {
      acceptUpload: async () => {
        throw new IntakeError('UPLOAD_QUOTA_EXCEEDED', { retryAfterMs: 1200 });
      },
    },
  });
  const response = await request({ method: 'POST', url: '/v1/uploads', payload: declaration });
  expect(response.statusCode).toBe(429);
  expect(response.headers['retry-after']).toBe('2');
});

describe('what is wrong with a request is said field by field', () => {
  test.each([
    ['a missing field', { ...declaration, name: undefined }, 'body.name'],
    ['an empty name', { ...declaration, name: ' \u0000\u0007\u202e ' }, 'body.name'],
    ['a name that is too long', { ...declaration, name: 'x'.repeat(256) }, 'body.name'],
    ['a wrong type', { ...declaration, sizeBytes: '10' }, 'body.sizeBytes'],
    ['a fraction', { ...declaration, sizeBytes: 1.5 }, 'body.sizeBytes'],
    ['a negative size', { ...declaration, sizeBytes: -1 }, 'body.sizeBytes'],
    ['a wrong hash', { ...declaration, sha256: 'xyz' }, 'body.sha256'],
    ['an unknown field', { ...declaration, ownerId: 'me' }, 'body'],
    ['no object', 'text', 'body'],
    ['nothing', null, 'body'],
  ])('%s', async (_what, payload, field) => {
    const { request } = await apiUnderTest();
    const response = await request({
      method: 'POST',
      url: '/v1/uploads',
      headers: json,
      payload: JSON.stringify(payload),
    });
    expect(response.statusCode).toBe(400);
    expect(response.json().code).toBe('INVALID_REQUEST');
    expect(response.json().errors).toEqual([{ field, message: expect.stringMatching(/\S/) }]);
  });

  test('no body', async () => {
    const { request } = await apiUnderTest();
    const response = await request({ method: 'POST', url: '/v1/uploads', headers: json });
    expect(response.json().errors).toEqual([{ field: 'body', message: expect.any(String) }]);
  });

  test('query', async () => {
    const { request } = await apiUnderTest();
    const response = await request({ url: '/v1/documents?limit=0&status=lost&page=2' });
    const fields = response.json().errors.map((error: { field: string }) => error.field);
    expect(fields.sort()).toEqual(['querystring', 'querystring.limit', 'querystring.status']);
  });

  test('an id of the wrong form is an id that nothing has', async () => {
    const { request } = await apiUnderTest();
    const response = await request({ url: '/v1/documents/42' });
    expect(response.statusCode).toBe(404);
    expect(response.json().code).toBe('NOT_FOUND');
  });
});

describe('refusals of HTTP itself have the same form', () => {
  const deep = `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`;
  test.each([
    ['a syntax error', 400, json, '{"name":'],
    ['a key that reaches for the prototype', 400, json, '{"__proto__":{"admin":true}}'],
    ['nesting', 400, json, deep],
    ['wide nesting', 400, json, `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['a body that is too large', 413, json, JSON.stringify({ name: 'x'.repeat(20_000) })],
    ['a form', 415, { 'content-type': 'application/x-www-form-urlencoded' }, 'name=plan'],
    ['text', 415, { 'content-type': 'text/plain' }, 'name'],
    ['a type that is none', 415, { 'content-type': '///' }, '{}'],
  ])('%s', async (_what, status, headers, payload) => {
    const { request } = await apiUnderTest();
    const response = await request({ method: 'POST', url: '/v1/uploads', headers, payload });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({
      code: 'INVALID_REQUEST',
      status,
      correlationId: response.headers['x-correlation-id'],
    });
    expect(response.json()).not.toHaveProperty('errors');
  });

  test.each([
    ['an unknown route', 404, 'NOT_FOUND', '/v2/documents'],
    ['an unknown method', 404, 'NOT_FOUND', '/health/live'],
    ['a broken escape', 400, 'INVALID_REQUEST', '/v1/documents/%zz/retry'],
    ['an endless id', 414, 'INVALID_REQUEST', `/v1/documents/${'a'.repeat(500)}/retry`],
  ])('%s', async (_what, status, code, url) => {
    const { request } = await apiUnderTest();
    const response = await request({ method: 'POST', url });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code, status });
  });
});

describe('what is our fault', () => {
  const secret = 'relation "plan of Mrs. Miller" does not exist';

  async function broken(error: unknown) {
    const api = await apiUnderTest({
      documents: {
        listDocuments: async () => {
          throw error;
        },
      },
    });
    const response = await api.request({ url: '/v1/documents' });
    const lines = api.logs.map((line) => JSON.parse(line));
    return { response, fault: lines.find(({ msg }) => msg === 'request failed'), logs: api.logs };
  }

  test('is logged with its stack and told without it', async () => {
    const { response, fault } = await broken(new TypeError(secret));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'INTERNAL_ERROR', turn: 'us' });
    expect(response.body).not.toContain('Miller');
    expect(fault).toMatchObject({
      level: 50,
      code: 'INTERNAL_ERROR',
      correlationId: response.json().correlationId,
      err: { type: 'TypeError', stack: expect.stringContaining('problems.test.ts') },
    });
  });

  test.each([
    ['a string', 'oops'],
    ['nothing', undefined],
    [
      'a foreign error with a status of success',
      Object.assign(new Error('x'), { statusCode: 200 }),
    ],
  ])('when %s is thrown', async (_what, thrown) => {
    const { response, fault } = await broken(thrown);
    expect(response.statusCode).toBe(500);
    expect(response.json().code).toBe('INTERNAL_ERROR');
    expect(fault).toBeDefined();
  });

  test('when the database is away', async () => {
    const { response, fault } = await broken(new IntakeError('DATABASE_UNAVAILABLE'));
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
    expect(fault).toBeDefined();
  });

  test('when a service answers what the contract does not know', async () => {
    const { request } = await apiUnderTest({
      dependencies: {
        search: async () => [Object.assign(Object.create(null), { headingPath: [], text: 5 })],
      },
    });
    const response = await request({ method: 'POST', url: '/v1/search', payload: { query: 'x' } });
    expect(response.statusCode).toBe(500);
    expect(response.json().code).toBe('INTERNAL_ERROR');
  });

  test('while what is the caller’s fault leaves no error in the log', async () => {
    const { fault, response, logs } = await broken(new IntakeError('NOT_POSSIBLE_NOW'));
    expect(response.statusCode).toBe(409);
    expect(fault).toBeUndefined();
    expect(logs.some((line) => line.includes('stack'))).toBe(false);
  });
});

test('headers that are too large are refused before they are read', async () => {
  const { app } = await apiUnderTest();
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    });
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
});
