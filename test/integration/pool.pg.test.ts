/** Statements that travel together: their order, their failure, and what each of them sees. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdAttempt } from '../../src/db/attempts.ts';
import { inTransaction, type Queryable } from '../../src/db/pool.ts';
import { recordVerified } from '../../src/db/versions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { attemptOf, makeDocument } from '../support/documents.ts';
import { eventually } from '../support/eventually.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query('create table notes (place integer primary key, word text)');
});
afterAll(() => database.close());

const note = (q: Queryable, place: number, word: string) =>
  q.query('insert into notes (place, word) values ($1, $2)', [place, word]);
const notes = async () =>
  (await database.pool.query<{ word: string }>('select word from notes order by place')).rows.map(
    ({ word }) => word,
  );

test('keep the order in which they were sent', async () => {
  await inTransaction(database.pool, (transaction) =>
    Promise.all([
      note(transaction, 1, 'first'),
      transaction.query('update notes set word = word || $1', [', seen']),
      note(transaction, 2, 'second'),
    ]),
  );
  expect(await notes()).toEqual(['first, seen', 'second']);
});

test('one that fails takes all of its transaction along, and the connection is good for the next', async () => {
  const before = await notes();
  const failing = inTransaction(database.pool, (transaction) =>
    Promise.all([
      note(transaction, 3, 'third'),
      note(transaction, 3, 'third again'),
      note(transaction, 4, 'fourth'),
    ]),
  );
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  expect(await notes()).toEqual(before);
});

test('whoever waited for a lock reads what was committed meanwhile', async () => {
  const document = await makeDocument(database.pool);
  const version = { ...(await attemptOf(database.pool, document)).version };
  const key = `originals/${randomUUID()}`;
  const waiting = await inTransaction(database.pool, async (transaction) => {
    await holdAttempt(transaction, document);
    const second = inTransaction(database.pool, (rival) => holdAttempt(rival, document));
    await eventually(async () => {
      const { rowCount } = await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
    await recordVerified(transaction, version, key);
    return { second };
  });
  expect((await waiting.second).version.originalKey).toBe(key);
});

test('a connection that breaks between two statements fails its transaction, and nothing else', async () => {
  const broken = inTransaction(database.pool, async (transaction) => {
    const { rows } = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await eventually(async () => {
      const alive = 'select from pg_stat_activity where pid = $1';
      expect((await database.pool.query(alive, [rows[0]?.pid])).rowCount).toBe(0);
    });
    await transaction.query('select 1');
  });
  await expect(broken).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
});
