/** Temporal gone for twenty seconds in the middle: requests are refused kindly, work waits and goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTemporal, type TemporalServer } from '../../src/dev/temporal-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import { drillOutage } from '../support/outage-drill.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE_MS = 240_000;

let folder: string;
let database: TestDatabase;
let temporal: TemporalServer;
let stack: Stack;
/** Not the one of the other tests: this one is stopped. */
let start: () => Promise<TemporalServer>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-temporal-'));
  const port = await getPort();
  start = () =>
    startTemporal({
      databaseFile: join(folder, 'temporal.db'),
      logFile: join(folder, 'temporal.log'),
      onSpawn: endsWithUs,
      port,
    });
  temporal = await start();
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: temporal.address,
    environment: { PARSE_POLL_FIRST_SECONDS: '2' },
  });
  await stack.worker.start();
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await database.close();
  await temporal.stop();
  await rm(folder, { recursive: true });
});

test('work waits and goes on', { timeout: PATIENCE_MS }, async () => {
  const { refused, ends } = await drillOutage(stack, {
    stop: () => temporal.stop(),
    start: async () => {
      temporal = await start();
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
  const { counts } = await stack.faults.parser.ledger();
  expect(counts['parse.create'], 'each is paid once').toBe(Object.keys(ends).length);
});
