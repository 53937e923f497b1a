/** The roll-backs of ops/runbooks/roll-back.md that need no other version: a feature put out of use, limits put back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Child, startChild, untilReady } from '../../src/dev/child-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { endsWithUs } from '../support/ends-with-us.ts';
import { ended, exchange, reach, upload } from '../support/person.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { loseWebhook, sendWebhook, untilParsed, webhookSecrets } from '../support/webhook.ts';
import { followRunbook, type Outcome, saidIn } from './runbook.ts';
import { policy } from './waits.ts';

let database: TestDatabase;
let stack: Stack;
let copy: ProjectCopy;
let follow: (command: string) => Promise<Outcome>;
const started = new Map<'api' | 'worker', Child>();
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    // What is to be rolled back.
    environment: { PARSE_POLL_FIRST_SECONDS: '3600' },
  });
  copy = copyProject('roll-back');
  follow = followRunbook('roll-back.md', stack.environment);
  const lines = Object.entries(stack.environment).map(([key, value]) => `${key}=${value}`);
  await writeFile(join(copy.folder, '.env'), `${lines.join('\n')}\n`);
});
afterAll(async () => {
  await Promise.all([...started.values()].map((child) => child.stop()));
  await stack.close();
  await database.close();
  copy.remove();
});

/** As the runbook starts it, where the settings lie, in the place of the one before. */
async function restart(role: 'api' | 'worker', settings: string): Promise<void> {
  const command = `node --env-file=.env --env-file=ops/roll-back/${settings}.env src/${role}/main.ts`;
  saidIn('roll-back.md', command);
  await started.get(role)?.stop();
  const { PATH, HOME, TMPDIR } = process.env;
  const child = await startChild({
    name: role,
    command: 'sh',
    args: ['-c', `exec ${command.replace(/^node/, `"${process.execPath}"`)}`],
    logFile: join(copy.folder, '.intake', `${role}.log`),
    cwd: copy.folder,
    env: { PATH, HOME, TMPDIR },
    onSpawn: endsWithUs,
  });
  started.set(role, child);
  await untilReady(child, () => isReady[role](child), 60_000);
}

const isReady = {
  worker: async (child: Child) =>
    child.lastLines().some((line) => line.includes('"msg":"worker ready"')),
  api: async () =>
    (await exchange(`${stack.url}/health/ready`).catch(() => undefined))?.status === 200,
};

test('time limits are put back, and without webhooks every document is polled for', async () => {
  await restart('worker', 'default-timing');
  const person = await stack.person();
  await stack.faults.parser.add(loseWebhook);
  const held = await upload(person, policy('held by the hour that was set'));
  const parseJobId = await untilParsed(stack, database.pool, held);

  await stack.api.stop();
  await restart('api', 'default-timing');
  await restart('worker', 'without-webhooks');
  const { counts: before } = await stack.faults.parser.ledger();
  const polled = await upload(person, policy('polled for after 15 seconds'));
  expect((await ended(person, polled)).status).toBe('complete');
  const { counts: after } = await stack.faults.parser.ledger();
  expect(after['webhook.deliver'] ?? 0).toBe(before['webhook.deliver'] ?? 0);

  // It keeps the limits that it began with, and its webhook still counts.
  await reach(person, held, 'parse_queued');
  await sendWebhook(stack.url, parseJobId, webhookSecrets(stack.environment));
  expect((await ended(person, held)).status).toBe('complete');

  const { exitCode, stdout } = await follow('intake versions --minutes 10');
  expect(exitCode).toBe(0);
  // The worker that was stopped is seen for a minute more.
  expect(stdout).toMatch(/^\(none\)\s+none\s+\d\s+0\s+2\s+0$/m);
});

test('search goes on without the vector index', async () => {
  const person = await stack.person();
  const documentId = await upload(person, policy('searched without an index'));
  expect((await ended(person, documentId)).status).toBe('complete');
  await restart('api', 'without-vector-index');
  const { body } = await person.send<{ passages: readonly { documentId: string }[] }>(
    'POST',
    '/v1/search',
    { json: { query: 'copayment', k: 1 } },
  );
  expect(body.passages).toMatchObject([{ documentId }]);
});

test('reconciliation is paused', async () => {
  const paused = await follow(
    'temporal schedule toggle --pause --reason "rolled back" --schedule-id "reconcile/quick/$TASK_QUEUE"',
  );
  expect(paused).toMatchObject({ exitCode: 0 });
});
