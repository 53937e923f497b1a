/**
 * Expand and contract: the version before runs on the schema of this one. It holds documents in each wait, the migrations
 * that are new since then are applied under it, and both versions go on beside each other.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type * as Migrate from '../../src/db/migrate.ts';
import { migrate, pendingMigrations } from '../../src/db/migrate.ts';
import type * as StackServices from '../../src/dev/stack-services.ts';
import { workerService } from '../../src/dev/stack-services.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { ended, exchange, upload } from '../support/person.ts';
import { type Program, program, type Stack, startStack } from '../support/stack.ts';
import { holdInEachWait, policy } from './waits.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.intake', `before-${process.pid}`);

let database: TestDatabase;
let stack: Stack;
let present: Program;
let migrateBefore: typeof Migrate.migrate;
beforeAll(async () => {
  extractVersionBefore();
  const before: typeof Migrate = await import(join(folder, 'src/db/migrate.ts'));
  migrateBefore = before.migrate;
  const services: typeof StackServices = await import(join(folder, 'src/dev/stack-services.ts'));
  database = await createEmptyDatabase();
  await migrateBefore(database.url);
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { PARSE_POLL_FIRST_SECONDS: '3600' },
    services,
  });
  await stack.worker.start();
  present = program(workerService(stack.environment, stateFolder(join(folder, '.intake'))));
});
afterAll(async () => {
  await present.stop();
  await stack.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

/** As it stood before the newest change of the migrations. */
function extractVersionBefore(): void {
  const git = (...command: string[]) =>
    execFileSync('git', command, { cwd: root, maxBuffer: 512 * 1024 ** 2 });
  const newest = git('rev-list', '-1', 'HEAD', '--', 'supabase/migrations').toString().trim();
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', `${newest}^`) });
}

test('the version before runs on the schema of this one, in the middle of its work', async () => {
  const scene = { stack, pool: database.pool, person: await stack.person() };
  const held = await holdInEachWait(scene, 'held by the version before');
  const applied = await migrate(database.url);
  expect(applied.length).toBeGreaterThan(0);
  expect(await pendingMigrations(database.pool)).toEqual([]);
  expect((await exchange(`${stack.url}/health/ready`)).status).toBe(200);
  for (const { release } of held) await release();
  const later = await upload(scene.person, policy('uploaded on the new schema'));
  for (const id of [later, ...held.map(({ documentId }) => documentId)]) {
    expect([id, (await ended(scene.person, id)).status]).toEqual([id, 'complete']);
  }
  // Its own migrate has nothing to say about what it does not know.
  expect(await migrateBefore(database.url)).toEqual([]);

  await stack.worker.stop();
  await present.start();
  const last = await upload(scene.person, policy('taken up by this version'));
  expect((await ended(scene.person, last)).status).toBe('complete');
});
