/**
 * Applies `supabase/migrations` and says which of them are missing. The record of what was applied lives in a
 * schema of its own, since the first migrations make ours; steps that the Supabase CLI applied are known from its
 * record, and nothing is ever written there: that history may belong to another project on the same database.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { IntakeError } from '../domain/errors.ts';
import { databaseError, type Queryable } from './pool.ts';

const directory = join(import.meta.dirname, '../../supabase/migrations');

/** A second runner waits for the first; longer than this means that somebody holds a lock for good. */
const LOCK_TIMEOUT_MS = 60_000;

/** The views that the original's readers rely on: they cannot stand beside the original's tables. */
const VIEWS = '20261124000003_upload_pipeline_views';

export interface MigrateOptions {
  /** All but the views, while the original's tables stand in their place. */
  readonly withoutViews?: boolean;
}

/** Brings the database up to date, each file in its own transaction. Returns the names of the applied files. */
export async function migrate(
  databaseUrl: string,
  { withoutViews = false }: MigrateOptions = {},
): Promise<readonly string[]> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    lock_timeout: LOCK_TIMEOUT_MS,
  });
  try {
    await client.connect();
    const applied = await runner({
      dbClient: client,
      dir: directory,
      ignorePattern: await ignored(client, withoutViews ? [VIEWS] : []),
      direction: 'up',
      migrationsSchema: 'intake_migrations',
      createMigrationsSchema: true,
      migrationsTable: 'applied',
      singleTransaction: false,
      // The views come last where an original installation was taken over.
      checkOrder: false,
      advisoryLockMode: 'wait',
      log: () => undefined, // failures are thrown, the names are returned
    });
    return applied.map(({ name }) => name);
  } catch (error) {
    throw migrationError(error);
  } finally {
    await client.end();
  }
}

/** Names of the migrations that this version of the program needs and the database has not. */
export async function pendingMigrations(database: Queryable): Promise<readonly string[]> {
  try {
    const applied = new Set([...(await ownRecord(database)), ...(await supabaseRecord(database))]);
    return migrationNames().filter((name) => !applied.has(name));
  } catch (error) {
    throw databaseError(error);
  }
}

/**
 * Throws `SCHEMA_OUTDATED` with the names of what is missing. What a newer version has applied is no fault: its migrations
 * are safe while this one runs.
 */
export async function requireSchema(database: Queryable): Promise<void> {
  const pending = await pendingMigrations(database);
  if (pending.length > 0) throw new IntakeError('SCHEMA_OUTDATED', { detail: pending.join(', ') });
}

/** As a pattern of file names: what is no SQL, what the Supabase CLI has applied instead of us, and `others`. */
async function ignored(database: Queryable, others: readonly string[]): Promise<string> {
  const own = new Set(await ownRecord(database));
  const elsewhere = (await supabaseRecord(database)).filter((name) => !own.has(name));
  return `((?!.*\\.sql$).*|(${[...elsewhere, ...others].join('|')})\\.sql)`;
}

async function ownRecord(database: Queryable): Promise<readonly string[]> {
  if (!(await tableExists(database, 'intake_migrations.applied'))) return [];
  const { rows } = await database.query<{ name: string }>(
    'select name from intake_migrations.applied',
  );
  return rows.map(({ name }) => name);
}

/** Our own files among what the Supabase CLI has recorded. */
async function supabaseRecord(database: Queryable): Promise<readonly string[]> {
  if (!(await tableExists(database, 'supabase_migrations.schema_migrations'))) return [];
  const { rows } = await database.query<{ name: string }>(
    `select version || '_' || name as name from supabase_migrations.schema_migrations`,
  );
  const recorded = new Set(rows.map(({ name }) => name));
  return migrationNames().filter((name) => recorded.has(name));
}

async function tableExists(database: Queryable, table: string): Promise<boolean> {
  const { rows } = await database.query<{ found: boolean }>(
    'select to_regclass($1) is not null as found',
    [table],
  );
  return rows[0]?.found === true;
}

function migrationNames(): readonly string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/** A step may refuse with a sentence of its own, such as the take-over of the original's tables: it is the detail. */
function migrationError(error: unknown): unknown {
  const translated = databaseError(error);
  if (translated instanceof IntakeError || !(error instanceof Error)) return translated;
  const { hint } = error as { hint?: unknown };
  const detail = typeof hint === 'string' ? `${error.message}\n${hint}` : error.message;
  return new IntakeError('MIGRATION_FAILED', { detail, cause: error });
}
