/** kill -9 of the API between the commit and the start of a run, and between the start and its stamp. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { declare, type Person, put, reach } from '../support/person.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { untilTrue } from '../support/until.ts';

let database: TestDatabase;
let wire: TcpProxy;
let stack: Stack;
let temporal: Connection;
beforeAll(async () => {
  database = await createTestDatabase();
  wire = await startTcpProxy(inject('temporalAddress'));
  temporal = await Connection.connect({ address: inject('temporalAddress') });
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    apiEnvironment: { TEMPORAL_ADDRESS: wire.address },
    // Long after the sweep: the run is found by it, or not in time.
    environment: { UPLOAD_START_DELAY_SECONDS: '3600' },
  });
  await stack.worker.start();
});
afterAll(async () => {
  await stack.close();
  await wire.close();
  await temporal.close();
  await database.close();
});

interface AttemptRow {
  readonly document_id: string;
  readonly run_id: string | null;
}

async function attemptsOf(owner: Person): Promise<readonly AttemptRow[]> {
  const { rows } = await database.pool.query<AttemptRow>(
    'select document_id, run_id from intake.attempts where owner_id = $1',
    [owner.ownerId],
  );
  return rows;
}

async function isStarted(documentId: string): Promise<boolean> {
  const { workflow } = new Client({ connection: temporal });
  return workflow
    .getHandle(`ingest/${documentId}`)
    .describe()
    .then(
      () => true,
      () => false,
    );
}

test.each([
  ['between commit and start', 'requests', false],
  ['between start and stamp', 'answers', true],
] as const)('killed %s, the API heals what it left behind', async (_when, direction, started) => {
  const person = await stack.person();
  const file = { content: `# Policy\n\nThe API was killed with ${direction} under way.\n` };
  wire.cut(direction);
  const refused = declare(person, file).catch((error: unknown) => error);
  await untilTrue('the row is committed', async () => (await attemptsOf(person)).length === 1);
  const [row] = await attemptsOf(person);
  const documentId = row?.document_id ?? '';
  if (started) await untilTrue('the run is started', () => isStarted(documentId));
  await stack.api.kill();
  expect(await refused).toBeInstanceOf(Error);
  expect(row).toMatchObject({ run_id: null });
  expect(await isStarted(documentId)).toBe(started);

  wire.mend();
  await stack.api.start();
  await untilTrue('the sweep stamps the run', async () =>
    (await attemptsOf(person)).every(({ run_id }) => run_id !== null),
  );
  // The client tries again, as clients do, and joins what is there.
  const again = await declare(person, file);
  expect(again).toMatchObject({ documentId, status: 'awaiting_upload' });
  await put(again.uploadUrl, file);
  await person.send('POST', `/v1/uploads/${documentId}/confirm`);
  await reach(person, documentId, 'complete');
  expect(await attemptsOf(person)).toHaveLength(1);
});
