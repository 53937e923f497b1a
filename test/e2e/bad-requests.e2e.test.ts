/** Bad requests get a clear answer of one form, and leave nothing behind. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Answer, declaration, declare, look, type Person, put } from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';

let database: TestDatabase;
let stack: Stack;
let me: Person;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
  });
});
beforeEach(async () => {
  me = await stack.person();
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

async function documentsOf(person: Person): Promise<readonly unknown[]> {
  const { body } = await person.send<{ documents: unknown[] }>('GET', '/v1/documents');
  return body.documents;
}

const good = declaration({ content: '# Plan\n' });

describe('an announcement', () => {
  const expectRefusal = async (answer: Answer<unknown>, status: number, code: string) => {
    expectProblem(answer, status, code);
    expect(await documentsOf(me), 'nothing was accepted').toEqual([]);
  };

  test.each<[string, string]>([
    ['bad JSON', '{"name":'],
    ['no object', '[]'],
    ['no body', ''],
    ['an unknown field', JSON.stringify({ ...good, ownerId: randomUUID() })],
    ['a field too few', JSON.stringify({ ...good, sha256: undefined })],
    ['a hash that is none', JSON.stringify({ ...good, sha256: 'abc' })],
    ['a size that is no number', JSON.stringify({ ...good, sizeBytes: '10' })],
    ['half a byte', JSON.stringify({ ...good, sizeBytes: 1.5 })],
    ['less than nothing', JSON.stringify({ ...good, sizeBytes: -1 })],
    ['a name of blanks', JSON.stringify({ ...good, name: ' \u0000 ' })],
    ['a name without end', JSON.stringify({ ...good, name: 'x'.repeat(256) })],
    ['a key that reaches for the prototype', '{"__proto__":{"name":"x"}}'],
    ['deep nesting', `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`],
  ])('%s', async (_what, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await me.send('POST', '/v1/uploads', { body, headers });
    await expectRefusal(answer, 400, 'INVALID_REQUEST');
  });

  test.each<[string, Record<string, unknown>, number, string]>([
    ['an empty file', { sizeBytes: 0 }, 422, 'EMPTY_FILE'],
    ['a file over the limit', { sizeBytes: 52_428_801 }, 413, 'DOCUMENT_TOO_LARGE'],
    ['a type that nobody reads', { type: 'image/png' }, 415, 'UNSUPPORTED_FILE_TYPE'],
    ['no type', { type: '' }, 415, 'UNSUPPORTED_FILE_TYPE'],
  ])('%s', async (_what, lie, status, code) => {
    await expectRefusal(
      await me.send('POST', '/v1/uploads', { json: { ...good, ...lie } }),
      status,
      code,
    );
  });

  test('too large a body', async () => {
    const answer = await me.send('POST', '/v1/uploads', { json: { name: 'x'.repeat(20_000) } });
    await expectRefusal(answer, 413, 'INVALID_REQUEST');
  });

  test('a body of another type', async () => {
    const headers = { 'content-type': 'application/xml' };
    const answer = await me.send('POST', '/v1/uploads', { body: '<name/>', headers });
    await expectRefusal(answer, 415, 'INVALID_REQUEST');
  });

  test('the fields at fault are named, and their values are not', async () => {
    const secret = 'kept-to-ourselves';
    const { body } = await me.send('POST', '/v1/uploads', {
      json: { ...good, sha256: secret, more: secret },
    });
    expect(body).toMatchObject({ errors: [{ field: 'body.sha256' }, { field: 'body' }] });
    expect(JSON.stringify(body)).not.toContain(secret);
  });
});

test.each<[string, Record<string, unknown>]>([
  ['no words', { query: ' ' }],
  ['too many words', { query: 'x'.repeat(1_001) }],
  ['no passages', { query: 'plan', k: 0 }],
  ['a filter that is no id', { query: 'plan', documentIds: ['1'] }],
  ['nothing that can be read', { query: '\u0000' }],
  ['an unknown field', { query: 'plan', ownerId: randomUUID() }],
])('a search with %s', async (_what, json) => {
  expectProblem(await me.send('POST', '/v1/search', { json }), 400, 'INVALID_REQUEST');
});

test('unknown, foreign and impossible ids are one and the same answer on every route', async () => {
  const other = await stack.person();
  const { documentId: foreign } = await declare(other, { content: '# Not yours\n' });
  for (const id of [randomUUID(), foreign, foreign.toUpperCase(), '1', '..', '%00', "' or 1=1"]) {
    const document = `/v1/documents/${encodeURIComponent(id)}`;
    const confirm = `/v1/uploads/${encodeURIComponent(id)}/confirm`;
    for (const [method, path] of [
      ['GET', document],
      ['DELETE', document],
      ['POST', `${document}/retry`],
      ['POST', `${document}/cancel`],
      ['GET', `${document}/original`],
      ['GET', `${document}/markdown`],
      ['POST', confirm],
    ] as const) {
      expectProblem(await me.send(method, path), 404, 'NOT_FOUND');
    }
  }
  expect(await look(other, foreign)).toMatchObject({ status: 'awaiting_upload' });
});

test('a forged upload token, and a true one for another key, bring no bytes in', async () => {
  const file = { content: '# Mine\n' };
  const mine = new URL((await declare(me, file)).uploadUrl ?? '');
  const other = new URL((await declare(await stack.person(), file)).uploadUrl ?? '');
  const forged = new URL(mine);
  const [header, , signature] = (mine.searchParams.get('token') ?? '').split('.');
  const claims = { url: mine.pathname.split('/sign/')[1], scope: 'upload', exp: 4_000_000_000 };
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  forged.searchParams.set('token', `${header}.${payload}.${signature}`);
  const swapped = new URL(other.pathname + mine.search, other);
  for (const url of [forged, swapped]) expect(await put(url.href, file)).toBe(400);
  expect(await put(mine.href, file)).toBe(200);
});

test('what is no request of HTTP at all', async () => {
  expectProblem(await me.send('GET', `/v1/${'x'.repeat(20_000)}`), 431, 'INVALID_REQUEST');
  expectProblem(await me.send('GET', '/v1/documents/%'), 400, 'INVALID_REQUEST');
  const { hostname, port } = new URL(stack.url);
  const socket = connect(Number(port), hostname);
  socket.write('no request\r\n\r\n');
  const answer = (await socket.toArray()).join('');
  expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"INVALID_REQUEST"/);
});
