/** What one person may take: requests a minute, unfinished uploads, reserved bytes. Nobody else feels it. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { declaration, declare } from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';

const REQUESTS = 30;

let database: TestDatabase;
let stack: Stack;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: {
      MAX_REQUESTS_PER_MINUTE: `${REQUESTS}`,
      MAX_UNFINISHED_UPLOADS: '3',
      MAX_RESERVED_BYTES: '1000000',
    },
  });
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

const file = (word: string) => ({ content: `# ${word}\n` });

test('requests a minute: told when to come back, while others are served', async () => {
  const [eager, calm] = [await stack.person(), await stack.person()];
  for (let count = 0; count < REQUESTS; count += 1) {
    expect((await eager.send('GET', '/v1/limits')).status).toBe(200);
  }
  const refused = await eager.send('GET', '/v1/limits');
  expectProblem(refused, 429, 'RATE_LIMITED');
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expectProblem(await eager.send('POST', '/v1/search', { json: {} }), 429, 'RATE_LIMITED');
  expect((await calm.send('GET', '/v1/limits')).status).toBe(200);
});

test('unfinished uploads: one that is cancelled makes room', async () => {
  const me = await stack.person();
  const first = await declare(me, file('one'));
  await declare(me, file('two'));
  await declare(me, file('three'));
  const fourth = { json: declaration(file('four')) };
  expectProblem(await me.send('POST', '/v1/uploads', fourth), 429, 'UPLOAD_QUOTA_EXCEEDED');
  const joined = await declare(me, file('one'));
  expect(joined.documentId, 'joining needs no room').toBe(first.documentId);
  await me.send('POST', `/v1/documents/${first.documentId}/cancel`);
  expect((await me.send('POST', '/v1/uploads', fourth)).status).toBe(201);
});

test('reserved bytes', async () => {
  const me = await stack.person();
  await declare(me, file('large'), { sizeBytes: 900_000 });
  const next = { json: declaration(file('next'), { sizeBytes: 200_000 }) };
  expectProblem(await me.send('POST', '/v1/uploads', next), 429, 'UPLOAD_QUOTA_EXCEEDED');
  expect((await me.send('GET', '/v1/limits')).body).toMatchObject({
    unfinishedUploads: 1,
    reservedBytes: 900_000,
  });
});
