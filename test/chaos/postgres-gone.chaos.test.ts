/** Postgres gone for twenty seconds in the middle: requests are refused kindly, work waits and goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { type PostgresServer, startPostgres } from '../../src/dev/postgres-server.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import { drillOutage } from '../support/outage-drill.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE_MS = 240_000;

let folder: string;
/** Not the one of the other tests: this one is stopped. */
let postgres: PostgresServer;
let stack: Stack;
const start = (port?: number) =>
  startPostgres({
    dataDirectory: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    onSpawn: endsWithUs,
    disposable: true,
    ...(port === undefined ? {} : { port }),
  });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-postgres-'));
  postgres = await start();
  await migrate(postgres.url);
  stack = await startStack({
    databaseUrl: postgres.url,
    temporalAddress: inject('temporalAddress'),
    environment: { PARSE_POLL_FIRST_SECONDS: '2' },
  });
  await stack.worker.start();
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await postgres.stop();
  await rm(folder, { recursive: true });
});

test('work waits and goes on', { timeout: PATIENCE_MS }, async () => {
  const { refused, ends } = await drillOutage(stack, {
    stop: () => postgres.stop(),
    start: async () => {
      postgres = await start(Number(new URL(postgres.url).port));
    },
  });
  expect(refused).toMatchObject({ status: 503, body: { code: 'SERVICE_UNAVAILABLE' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const complete = { status: 'complete', attempts: [{ number: 1 }] };
  expect(ends).toMatchObject({
    bytes: complete,
    parsing: complete,
    embedding: complete,
    unlucky: complete,
  });
});
