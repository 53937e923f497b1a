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
import { followRunbook, saidIn } from './runbook.ts';
import { policy } from './waits.ts';

let database: TestDatabase;
let stack: Stack;
let copy: ProjectCopy;
const started: Child[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    // What is to be rolled back.
    environment: { PARSE_POLL_FIRST_SECONDS: '3600' },
  });
  copy = copyProject('roll-back');
  const lines = Object.entries(stack.environment).map(([key, value]) => `${key}=${value}`);
  await writeFile(join(copy.folder, '.env'), `${lines.join('\n')}\n`);
});
afterAll(async () => {
  await Promise.all(started.map((child) => child.stop()));
  await stack.close();
  await database.close();
  copy.remove();
});

/** As the runbook starts it, where the settings lie. */
async function start(command: string, isReady: (child: Child) => Promise<boolean>): Promise<void> {
  saidIn('roll-back.md', command);
  const { PATH, HOME, TMPDIR } = process.env;
  const child = await startChild({
    name: command,
    command: 'sh',
    args: ['-c', `exec ${command.replace(/^node/, `"${process.execPath}"`)}`],
    logFile: join(copy.folder, '.intake', `${started.length}.log`),
    cwd: copy.folder,
    env: { PATH, HOME, TMPDIR },
    onSpawn: endsWithUs,
  });
  started.push(child);
  await untilReady(child, () => isReady(child), 60_000);
}

async function isWorkerReady(child: Child): Promise<boolean> {
  return child.lastLines().some((line) => line.includes('"msg":"worker ready"'));
}

async function isApiReady(): Promise<boolean> {
  return (await exchange(`${stack.url}/health/ready`).catch(() => undefined))?.status === 200;
}

test('a feature is put out of use: without webhooks every document is polled for', async () => {
  await start(
    'node --env-file=.env --env-file=ops/roll-back/default-timing.env src/worker/main.ts',
    isWorkerReady,
  );
  const person = await stack.person();
  await stack.faults.parser.add(loseWebhook);
  const held = await upload(person, policy('held by the hour that was set'));
  const parseJobId = await untilParsed(stack, database.pool, held);

  await stack.api.stop();
  await start(
    'node --env-file=.env --env-file=ops/roll-back/default-timing.env src/api/main.ts',
    isApiReady,
  );
  await started.shift()?.stop();
  await start(
    'node --env-file=.env --env-file=ops/roll-back/without-webhooks.env src/worker/main.ts',
    isWorkerReady,
  );
  const { counts: before } = await stack.faults.parser.ledger();
  const polled = await upload(person, policy('polled for after 15 seconds'));
  expect((await ended(person, polled)).status).toBe('complete');
  const { counts: after } = await stack.faults.parser.ledger();
  expect(after['webhook.deliver'] ?? 0).toBe(before['webhook.deliver'] ?? 0);

  // It keeps the limits that it began with, and its webhook still counts.
  await reach(person, held, 'parse_queued');
  await sendWebhook(stack.url, parseJobId, webhookSecrets(stack.environment));
  expect((await ended(person, held)).status).toBe('complete');

  const follow = followRunbook('roll-back.md', stack.environment);
  const { exitCode, stdout } = await follow('intake versions --minutes 10');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^\(none\)\s+none\s+1\s+0\s+2\s+0$/m);
});
