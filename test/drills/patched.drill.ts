/**
 * The same change without build ids, as a patch (ops/runbooks/new-version.md): the workers are replaced, replaced back in
 * the middle, and every document is accounted for.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type * as StackServices from '../../src/dev/stack-services.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import { type OwnTemporal, startOnOwnTemporal } from '../support/own-temporal.ts';
import { ended } from '../support/person.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { type Program, program } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';
import { PATCH, patched } from './changes.ts';
import { createRunView, type RunView } from './run-view.ts';
import { followRunbook } from './runbook.ts';
import { type Held, holdInEachWait, type Scene } from './waits.ts';

let temporal: OwnTemporal;
let copy: ProjectCopy;
let two: Program;
let runs: RunView;
let scene: Scene;
beforeAll(async () => {
  temporal = await startOnOwnTemporal({ environment: { PARSE_POLL_FIRST_SECONDS: '3600' } });
  const { stack, database, address } = temporal;
  copy = copyProject('patched');
  if (!copy.change(patched)) throw new Error('the workflow has other lines by now');
  const services: typeof StackServices = await import(
    join(copy.folder, 'src/dev/stack-services.ts')
  );
  const folder = stateFolder(join(copy.folder, '.intake'));
  two = program(services.workerService(stack.environment, folder));
  runs = await createRunView(address);
  scene = { stack, pool: database.pool, person: await stack.person() };
});
afterAll(async () => {
  await two.stop();
  await runs.close();
  await temporal.close();
  copy.remove();
});

async function expectComplete(held: readonly Held[]): Promise<void> {
  for (const { wait, documentId } of held) {
    const { status } = await ended(scene.person, documentId, 240_000);
    expect([wait, documentId, status]).toEqual([wait, documentId, 'complete']);
  }
}

async function release(held: readonly Held[]): Promise<void> {
  for (const { release: letGo } of held) await letGo();
}

test('a patched workflow replays what the version before began, and is taken back', async () => {
  const { worker } = scene.stack;
  const before = await holdInEachWait(scene, 'held by one');
  await worker.stop();
  await two.start();
  await release(before);
  await expectComplete(before);
  for (const { documentId } of before) expect(await runs.failedTasks(documentId)).toBe(0);

  const patchedOnes = await holdInEachWait(scene, 'held by two');
  await two.stop();
  await worker.start();
  await release(patchedOnes);
  // What took the new way stands still: its workflow tasks fail, and nothing of it is lost.
  const [, bytes] = patchedOnes;
  await untilTrue('a task fails', async () => (await runs.failedTasks(`${bytes?.documentId}`)) > 0);
  const follow = followRunbook('new-version.md', { ...scene.stack.environment, PATCH });
  const moved = await follow(
    `temporal workflow reset --query "TemporalChangeVersion = '$PATCH' AND ExecutionStatus = 'Running'" --type FirstWorkflowTask --reason "the patch was taken back" --yes`,
  );
  expect(moved).toMatchObject({ exitCode: 0 });
  await expectComplete(patchedOnes);
});
