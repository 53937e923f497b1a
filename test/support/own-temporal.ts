/** A stack on a Temporal server of its own, with its store on disk: for drills that stop it, or lose what it knows. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startTemporal } from '../../src/dev/temporal-server.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { endsWithUs } from './ends-with-us.ts';
import { type Stack, startStack } from './stack.ts';

export interface OwnTemporal {
  readonly address: string;
  readonly database: TestDatabase;
  readonly stack: Stack;
  /** At its old address, with what is left of its store. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** While it is stopped. */
  loseStore(): Promise<void>;
  close(): Promise<void>;
}

const STORE = 'temporal.db';

interface OwnTemporalOptions {
  /** Configuration of the stack besides the usual of tests. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly dynamicConfig?: Readonly<Record<string, unknown>>;
}

/** The stack's worker runs. */
export async function startOnOwnTemporal({
  environment,
  dynamicConfig = {},
}: OwnTemporalOptions = {}): Promise<OwnTemporal> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-temporal-'));
  const port = await getPort();
  const start = () =>
    startTemporal({
      databaseFile: join(folder, STORE),
      logFile: join(folder, 'temporal.log'),
      onSpawn: endsWithUs,
      port,
      dynamicConfig,
    });
  let server = await start();
  const database = await createTestDatabase();
  const stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: server.address,
    environment: { PARSE_POLL_FIRST_SECONDS: '2', ...environment },
  });
  await stack.worker.start();
  return {
    address: server.address,
    database,
    stack,
    start: async () => {
      server = await start();
    },
    stop: async () => {
      await server.stop();
    },
    loseStore: async () => {
      const names = (await readdir(folder)).filter((name) => name.startsWith(STORE));
      await Promise.all(names.map((name) => rm(join(folder, name))));
    },
    close: async () => {
      await stack.close();
      await database.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}
