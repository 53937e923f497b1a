/** A Postgres and a Temporal of a command's own, both empty and gone afterwards. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../src/db/migrate.ts';
import { createPool, type Pool } from '../src/db/pool.ts';
import { startPostgres } from '../src/dev/postgres-server.ts';
import { withoutProxy } from '../src/dev/stack-plan.ts';
import { startTemporal } from '../src/dev/temporal-server.ts';
import { endsWithUs } from '../test/support/ends-with-us.ts';

export interface Servers {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly pool: Pool;
}

export async function withServers(work: (servers: Servers) => Promise<void>): Promise<void> {
  Object.assign(process.env, withoutProxy(process.env));
  const folder = await mkdtemp(join(tmpdir(), 'intake-bench-'));
  // However this command ends, Ctrl-C included.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [postgres, temporal] = await Promise.all([
    startPostgres({
      dataDirectory: join(folder, 'postgres'),
      logFile: join(folder, 'postgres.log'),
      onSpawn: endsWithUs,
    }),
    startTemporal({
      databaseFile: join(folder, 'temporal.db'),
      logFile: join(folder, 'temporal.log'),
      onSpawn: endsWithUs,
    }),
  ]);
  await migrate(postgres.url);
  const pool = createPool({
    connectionString: postgres.url,
    size: 5,
    onIdleError: () => undefined, // the server stops before the pool may have noticed
  });
  try {
    await work({ databaseUrl: postgres.url, temporalAddress: temporal.address, pool });
  } finally {
    await pool.end();
    await Promise.all([postgres.stop(), temporal.stop()]);
  }
}
