/**
 * An upload URL lives on after its use. Used again after verification it changes nothing, after deletion it leaves
 * nothing: what is left is counted in the database, on the store's disk and at the parser.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { confirm, declare, look, type Person, put, reach, upload } from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';

/** Long enough for a slow machine to use it, short enough to see its end. */
const URL_SECONDS = 15;

let database: TestDatabase;
let stack: Stack;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    uploadUrlLifetimeSeconds: URL_SECONDS,
    environment: { ERASE_SECOND_SWEEP_SECONDS: '1' },
  });
  await stack.worker.start();
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

/** Two files, each with a word of its own. */
function twoPolicies() {
  const word = `zephyrine${randomUUID()}`;
  const another = `altogether${randomUUID()}`;
  return {
    words: [word, another],
    policy: { content: `# Plan\n\nThe ${word} plan covers dental care.\n` },
    other: { content: `# Plan\n\nThe ${another} plan covers everything.\n` },
  };
}

/** Files on the disks of store and parser that hold one of the words, by what they hold. */
async function filesWith(words: readonly string[]): Promise<readonly string[]> {
  const folders = Object.values(stack.folders);
  const listed = folders.map((path) => readdir(path, { recursive: true, withFileTypes: true }));
  const files = (await Promise.all(listed)).flat().filter((entry) => entry.isFile());
  const contents = files.map(async (entry) => {
    // One that vanishes in between is gone.
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '');
    // The marker of a deletion, of ids alone, stays as the tombstone does.
    return text.replaceAll(/tombstones\/[0-9a-zA-Z.:_-]+/g, '');
  });
  return (await Promise.all(contents)).filter((text) => words.some((word) => text.includes(word)));
}

/** Rows of the owner, by table. */
async function rowsOf(person: Person): Promise<Readonly<Record<string, number>>> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
     where table_schema = 'intake' and column_name = 'owner_id' order by 1`,
  );
  const counted = tables.map(async ({ name }) => {
    const { rows } = await database.pool.query<{ n: number }>(
      `select count(*)::int as n from intake.${name} where owner_id = $1`,
      [person.ownerId],
    );
    return [name, rows[0]?.n ?? 0] as const;
  });
  const all = await Promise.all(counted);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

test('after verification the URL changes nothing', async () => {
  const me = await stack.person();
  const { policy, other, words } = twoPolicies();
  const { documentId, uploadUrl } = await declare(me, policy);
  await put(uploadUrl, policy);
  await confirm(me, documentId);
  const seen = await reach(me, documentId, 'complete');
  expect(await put(uploadUrl, other), 'the URL still lives').toBe(200);
  await confirm(me, documentId);
  const original = await me.send('GET', `/v1/documents/${documentId}/original`);
  expect(original.body).toBe(policy.content);
  expect(await look(me, documentId)).toEqual(seen);
  const found = await me.send('POST', '/v1/search', { json: { query: 'plan covers everything' } });
  expect(JSON.stringify(found.body)).toContain(words[0]);
  expect(JSON.stringify(found.body)).not.toContain(words[1]);
});

test('after deletion the URL leaves nothing, and an expired one brings nothing in', async () => {
  const me = await stack.person();
  const { policy, other, words } = twoPolicies();
  const { documentId, uploadUrl } = await declare(me, policy);
  await put(uploadUrl, policy);
  await confirm(me, documentId);
  await reach(me, documentId, 'complete');
  const mine = [...words, me.ownerId];
  expect(await filesWith(mine)).not.toEqual([]);

  expect((await me.send('DELETE', `/v1/documents/${documentId}`)).status).toBe(202);
  expectProblem(await me.send('GET', `/v1/documents/${documentId}`), 404, 'NOT_FOUND');
  await untilTrue('the first sweep is over', async () => (await filesWith(mine)).length === 0);
  expect(await put(uploadUrl, other), 'the URL still lives').toBe(200);
  expect(await filesWith(mine)).not.toEqual([]);

  await untilTrue('the URL has expired', async () => (await put(uploadUrl, other)) === 400);
  await untilTrue('the second sweep is over', async () => (await filesWith(mine)).length === 0);
  await untilTrue('the erasure is done', () => isErased(documentId));
  expect(await filesWith(mine)).toEqual([]);
  expect(await rowsOf(me)).toEqual({ documents: 1 });
  const { rows } = await database.pool.query(
    'select name, sha256, live_generation_id from intake.documents where id = $1',
    [documentId],
  );
  expect(rows, 'the tombstone').toEqual([{ name: '', sha256: null, live_generation_id: null }]);
});

test('deleted while the parser reads it, nothing stays there either', async () => {
  const me = await stack.person();
  const { policy, words } = twoPolicies();
  await stack.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 5_000 } });
  const documentId = await upload(me, policy);
  await reach(me, documentId, 'parse_queued');
  expect(await filesWith(words)).not.toEqual([]);
  await me.send('DELETE', `/v1/documents/${documentId}`);
  await untilTrue('the parser forgets', async () => (await filesWith(words)).length === 0);
});

test('a deleted document can be uploaded again, under a new id', async () => {
  const me = await stack.person();
  const { policy } = twoPolicies();
  const first = await upload(me, policy);
  await reach(me, first, 'complete');
  await me.send('DELETE', `/v1/documents/${first}`);
  const second = await upload(me, policy);
  expect(second).not.toBe(first);
  await reach(me, second, 'complete');
});

async function isErased(documentId: string): Promise<boolean> {
  const { rows } = await database.pool.query(
    'select from intake.documents where id = $1 and erased_at is not null',
    [documentId],
  );
  return rows.length === 1;
}
