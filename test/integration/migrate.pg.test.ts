import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate, pendingMigrations } from '../../src/db/migrate.ts';
import { type PostgresServer, startPostgres } from '../../src/dev/postgres-server.ts';

/** An empty database on the server of `adminUrl`. */
async function withEmptyDatabase(
  adminUrl: string,
  work: (url: string, client: pg.Client) => Promise<void>,
): Promise<void> {
  const name = `empty_${crypto.randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client(adminUrl);
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = new URL(adminUrl);
  url.pathname = name;
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    await work(url.href, client);
  } finally {
    await client.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  }
}

describe('migrate', () => {
  it('applies every step once and then finds nothing to do', async () => {
    await withEmptyDatabase(inject('postgresUrl'), async (url, client) => {
      const missing = await pendingMigrations(client);
      expect(missing.length).toBeGreaterThan(0);
      expect(await migrate(url)).toEqual(missing);
      expect(await pendingMigrations(client)).toEqual([]);
      expect(await migrate(url)).toEqual([]);
    });
  });

  it('lets a second runner wait for the first', async () => {
    await withEmptyDatabase(inject('postgresUrl'), async (url, client) => {
      const missing = await pendingMigrations(client);
      const runs = await Promise.all([migrate(url), migrate(url)]);
      expect(runs.flat().sort()).toEqual([...missing].sort());
    });
  });

  it('knows the steps that the Supabase CLI has applied, and leaves its record alone', async () => {
    await withEmptyDatabase(inject('postgresUrl'), async (url, client) => {
      const [first = '', ...others] = await pendingMigrations(client);
      const separator = first.indexOf('_');
      await client.query(readFileSync(`supabase/migrations/${first}.sql`, 'utf8'));
      await client.query(`
        create schema supabase_migrations;
        create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
      `);
      await client.query(
        `insert into supabase_migrations.schema_migrations (version, name)
         values ($1, $2), ('20200101000000', 'of_another_project')`,
        [first.slice(0, separator), first.slice(separator + 1)],
      );

      expect(await pendingMigrations(client)).toEqual(others);
      expect(await migrate(url)).toEqual(others);
      expect(await pendingMigrations(client)).toEqual([]);
      const record = await client.query('select from supabase_migrations.schema_migrations');
      expect(record.rowCount).toBe(2);
    });
  });

  it('is asked for by a worker before its first task', async () => {
    await withEmptyDatabase(inject('postgresUrl'), async (url) => {
      const key = 'k'.repeat(32);
      const env = {
        DATABASE_URL: url,
        SUPABASE_URL: 'http://127.0.0.1:1',
        SUPABASE_SERVICE_ROLE_KEY: key,
        SUPABASE_JWT_SECRET: key,
        WEBHOOK_TOKEN_KEY: key,
        WEBHOOK_SIGNING_SECRET: key,
        LLAMA_CLOUD_API_KEY: key,
        EMBEDDINGS_API_KEY: key,
      };
      const worker = promisify(execFile)(process.execPath, ['src/worker/main.ts'], { env });
      await expect(worker).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('SCHEMA_OUTDATED'),
      });
    });
  });

  it('says why a step was refused', async () => {
    await withEmptyDatabase(inject('postgresUrl'), async (url, client) => {
      await client.query('create schema intake');
      await expect(migrate(url)).rejects.toMatchObject({
        code: 'MIGRATION_FAILED',
        detail: expect.stringContaining('intake'),
      });
      expect(await pendingMigrations(client)).not.toEqual([]);
    });
  });

  it('reports a database that does not answer', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });
});

/** Postgres 18 accepts what Supabase's 15 and 17 refuse; the older server beside it does not. */
describe('migrate on Postgres 16', () => {
  let folder: string;
  let server: PostgresServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'intake-postgres-16-'));
    server = await startPostgres({
      dataDirectory: join(folder, 'data'),
      logFile: join(folder, 'log'),
      version: 16,
      disposable: true,
    });
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('applies every step', async () => {
    await withEmptyDatabase(server.url, async (url, client) => {
      await migrate(url);
      expect(await pendingMigrations(client)).toEqual([]);
    });
  });
});
