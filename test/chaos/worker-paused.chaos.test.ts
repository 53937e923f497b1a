/**
 * A worker that is paused (SIGSTOP) while it uploads to the parser, until another has taken over and paid; then it wakes
 * up with the answer of its upload in hand, and goes on where it was.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { workerService } from '../../src/dev/stack-services.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { ended, upload } from '../support/person.ts';
import { type Program, program, type Stack, startStack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';

const PATIENCE_MS = 120_000;

let folder: string;
let database: TestDatabase;
let stack: Stack;
let second: Program;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-second-'));
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
  });
  second = program(workerService(stack.environment, stateFolder(folder)));
  await stack.worker.start();
}, PATIENCE_MS);
afterAll(async () => {
  await second.stop();
  await stack.close();
  await database.close();
  await rm(folder, { recursive: true });
});

test('the parser is paid once', { timeout: PATIENCE_MS }, async () => {
  const { faults } = stack;
  const person = await stack.person();
  const countOf = async (operation: string) =>
    (await faults.parser.ledger()).counts[operation] ?? 0;
  await faults.parser.add({ operation: 'file.create', effect: { kind: 'delay', ms: 1_000 } });
  const documentId = await upload(person, {
    content: '# Policy\n\nThe copayment is 20 dollars.\n',
  });
  await untilTrue('it uploads', async () => (await countOf('file.create')) === 1);
  const { pid } = stack.worker;
  process.kill(-pid, 'SIGSTOP');
  await second.start();
  await untilTrue('the other pays', async () => (await countOf('parse.create')) === 1);
  process.kill(-pid, 'SIGCONT');
  const end = await ended(person, documentId);
  expect(end).toMatchObject({ status: 'complete', attempts: [{ number: 1 }] });
  // More than once when an open poll of the paused worker took the next try too.
  expect(end.timeline.map(({ code }) => code)).toContain('WORKER_LOST');
  await stack.worker.stop(); // whatever it had in hand is over
  expect(await countOf('parse.create')).toBe(1);
});
