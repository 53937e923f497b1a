/**
 * Starts one Postgres 18 and one Temporal dev server for the whole run, both empty and gone afterwards;
 * `INTAKE_TEST_TEMPORAL_ADDRESS` names a Temporal server to use in its place.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import type { Child } from '../../src/dev/child-process.ts';
import { startPostgres } from '../../src/dev/postgres-server.ts';
import { startTemporal } from '../../src/dev/temporal-server.ts';
import { testServerExecutable } from '../../src/dev/tools.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the superuser, database `postgres`. Tests want `createTestDatabase`. */
    postgresUrl: string;
    /** Name of the migrated database that test databases are copied from. */
    templateDatabase: string;
    temporalAddress: string;
    /** Executable of the time-skipping server. */
    testServerPath: string;
  }
}

const TEMPLATE = 'intake_template';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'intake-test-'));
  const servers: Child[] = [];
  const teardown = async () => {
    process.off('exit', abandon);
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true });
  };
  // An interrupted run ends without teardown.
  const abandon = () => {
    for (const { pid } of servers) process.kill(pid, 'SIGINT');
  };
  process.once('exit', abandon);
  try {
    const postgres = await startPostgres({
      dataDirectory: join(folder, 'postgres'),
      logFile: join(folder, 'postgres.log'),
      disposable: true,
    });
    servers.push(postgres);
    const temporalAddress =
      process.env['INTAKE_TEST_TEMPORAL_ADDRESS'] ?? (await startTemporalIn(folder, servers));
    await createTemplate(postgres.url);

    project.provide('postgresUrl', postgres.url);
    project.provide('templateDatabase', TEMPLATE);
    project.provide('temporalAddress', temporalAddress);
    project.provide('testServerPath', testServerExecutable());
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

async function startTemporalIn(folder: string, servers: Child[]): Promise<string> {
  const temporal = await startTemporal({ logFile: join(folder, 'temporal.log') });
  servers.push(temporal);
  return temporal.address;
}

async function createTemplate(postgresUrl: string): Promise<void> {
  const admin = new pg.Client(postgresUrl);
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const url = new URL(postgresUrl);
  url.pathname = TEMPLATE;
  await migrate(url.href);
}
