/** A fresh, migrated database for one test file. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { eventually } from './eventually.ts';

export interface TestDatabase {
  readonly url: string;
  readonly pool: Pool;
  /** Ends the pool and drops the database; fails when the test has left a connection open. */
  close(): Promise<void>;
}

export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(inject('templateDatabase'));
}

/** Without a schema. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template1');
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((admin) => admin.query(`create database ${name} template ${template}`));
  const address = new URL(inject('postgresUrl'));
  address.pathname = name;
  const pool = createPool({
    connectionString: address.href,
    size: 5,
    onIdleError: (error) => {
      throw error;
    },
  });
  return {
    url: address.href,
    pool,
    close: async () => {
      const borrowed = pool.totalCount - pool.idleCount;
      expect(borrowed, 'connections taken from the pool and not released').toBe(0);
      await pool.end();
      await asAdmin(async (admin) => {
        await eventually(async () =>
          expect(await connections(admin, name), 'connections outside the pool').toBe(0),
        );
        await admin.query(`drop database ${name}`);
      });
    },
  };
}

async function connections(admin: pg.Client, database: string): Promise<number> {
  const { rows } = await admin.query<{ open: number }>(
    'select count(*)::int as open from pg_stat_activity where datname = $1',
    [database],
  );
  return rows[0]?.open ?? 0;
}

async function asAdmin<Result>(work: (admin: pg.Client) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client(inject('postgresUrl'));
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
