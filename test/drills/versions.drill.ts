/**
 * A new version of the workflow, as ops/runbooks/new-version.md has it: version 1 holds documents in each wait, version 2
 * ramps to 10 %, takes over, is rolled back in the middle of its work and drains. Every command is the runbook's.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type * as StackServices from '../../src/dev/stack-services.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import type { Version } from '../../src/temporal/versions.ts';
import { type OwnTemporal, startOnOwnTemporal } from '../support/own-temporal.ts';
import { ended, upload } from '../support/person.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { intakeReconcile, kindsOf } from '../support/restore-drill.ts';
import { type Program, program } from '../support/stack.ts';
import { until, untilTrue } from '../support/until.ts';
import { incompatible } from './changes.ts';
import { createRunView, type RunView } from './run-view.ts';
import { followRunbook, type Outcome } from './runbook.ts';
import { type Held, holdInEachWait, policy, type Scene } from './waits.ts';

const versions = { WORKER_DEPLOYMENT: 'drill', OLD: 'one', NEW: 'two' };

let temporal: OwnTemporal;
let copy: ProjectCopy;
let two: Program;
let runs: RunView;
let scene: Scene;
let follow: (command: string) => Promise<Outcome>;
beforeAll(async () => {
  temporal = await startOnOwnTemporal({
    environment: {
      WORKER_DEPLOYMENT: versions.WORKER_DEPLOYMENT,
      WORKER_BUILD_ID: versions.OLD,
      PARSE_POLL_FIRST_SECONDS: '3600',
    },
    // Minutes by default.
    dynamicConfig: {
      'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '2s',
      'matching.wv.VersionDrainageStatusRefreshInterval': '1s',
    },
  });
  const { stack, database, address } = temporal;
  follow = followRunbook('new-version.md', { ...stack.environment, ...versions });
  copy = copyProject('versions');
  if (!copy.change(incompatible)) throw new Error('the workflow has other lines by now');
  const services: typeof StackServices = await import(
    join(copy.folder, 'src/dev/stack-services.ts')
  );
  const environment = { ...stack.environment, WORKER_BUILD_ID: versions.NEW };
  two = program(services.workerService(environment, stateFolder(join(copy.folder, '.intake'))));
  runs = await createRunView(address);
  scene = { stack, pool: database.pool, person: await stack.person() };
  await heard(
    'temporal worker deployment set-current-version --deployment-name "$WORKER_DEPLOYMENT" --build-id "$OLD" --yes',
  );
});
afterAll(async () => {
  await two.stop();
  await runs.close();
  await temporal.close();
  copy.remove();
});
beforeEach(() => scene.stack.faults.embedding.clear());

const ramp =
  'temporal worker deployment set-ramping-version --deployment-name "$WORKER_DEPLOYMENT" --build-id "$NEW" --percentage 10 --yes';
const promote =
  'temporal worker deployment set-current-version --deployment-name "$WORKER_DEPLOYMENT" --build-id "$NEW" --yes';
const rollBack =
  'temporal worker deployment set-current-version --deployment-name "$WORKER_DEPLOYMENT" --build-id "$OLD" --yes';

/** The server may not have seen the version's first poll yet, or be at work on the command before. */
async function heard(command: string): Promise<void> {
  await until(command, async () => ((await follow(command)).exitCode === 0 ? true : undefined));
}

async function watch(): Promise<{ exitCode: number; versions: readonly Version[] }> {
  const { exitCode, stdout } = await follow('intake versions --json');
  return { exitCode, ...(JSON.parse(stdout) as { versions: readonly Version[] }) };
}

async function stateOf(buildId: string): Promise<string | undefined> {
  return (await watch()).versions.find((version) => version.buildId === buildId)?.state;
}

function inWait(held: readonly Held[], wait: Held['wait']): Held {
  const found = held.find((one) => one.wait === wait);
  if (found === undefined) throw new Error(`nobody is in wait ${wait}`);
  return found;
}

async function release(held: readonly Held[]): Promise<void> {
  for (const { release: letGo } of held) await letGo();
}

async function expectComplete(documentIds: readonly string[], version: string): Promise<void> {
  for (const id of documentIds) {
    const { status } = await ended(scene.person, id);
    expect([id, status, await runs.versionsOf(id), await runs.failedTasks(id)]).toEqual([
      ...[id, 'complete', [version], 0],
    ]);
  }
}

test('a document ends on the version that it began with, and none is lost by the roll-back', async () => {
  const held = await holdInEachWait(scene, 'held by one');
  await two.start();
  await heard(ramp);
  const [ramped, others] = await rampedDocument();
  expect(others.length).toBeGreaterThan(0);

  await heard(promote);
  const later = await holdInEachWait(scene, 'held by two');
  await release(held);
  const [delayed, ...begun] = held.map(({ documentId }) => documentId);
  await expectComplete(begun, versions.OLD);
  // Dispatched now: it takes what is current.
  await expectComplete([delayed ?? '', ramped], versions.NEW);
  await expectComplete(others, versions.OLD);

  const again = await holdInEachWait(scene, 'held by two at the roll-back');
  await heard(rollBack);
  const after = await upload(scene.person, policy('uploaded after the roll-back'));
  await release([...later, ...again]);
  const sets = [later, again];
  await expectComplete(
    [after, ...sets.map((set) => inWait(set, 'start delay').documentId)],
    versions.OLD,
  );
  await expectComplete(
    sets.flatMap((set) =>
      set.filter(({ wait }) => wait !== 'start delay').map(({ documentId }) => documentId),
    ),
    versions.NEW,
  );
  await untilTrue(
    'version two is drained',
    async () => (await stateOf(versions.NEW)) === 'drained',
  );
  expect((await watch()).exitCode).toBe(0);
  await two.stop();
});

/** Uploads until one has begun on the ramping version; answers it, and those that began on the other. */
async function rampedDocument(): Promise<readonly [string, readonly string[]]> {
  const others: string[] = [];
  for (;;) {
    const id = await upload(scene.person, policy(`number ${others.length} of the ramp`));
    await untilTrue('it has begun', async () => (await runs.versionsOf(id)).length > 0);
    if ((await runs.versionsOf(id)).includes(versions.NEW)) return [id, others];
    others.push(id);
  }
}

test('workers that are stopped too early are told of, and their runs are moved', async () => {
  await two.start();
  await heard(promote);
  const held = await holdInEachWait(scene, 'left alone by two');
  await heard(rollBack);
  await two.kill();
  await untilTrue('the watch tells', async () => (await watch()).exitCode === 4);
  const reconciled = await intakeReconcile(scene.stack, '--dry-run', '--after-restore');
  expect(kindsOf(reconciled)).toMatchObject({ 'run-without-worker reported': 3 });

  const moved = await follow(
    `temporal workflow reset --query "TemporalWorkerDeploymentVersion = '$WORKER_DEPLOYMENT:$NEW' AND ExecutionStatus = 'Running'" --type FirstWorkflowTask --reason "its version has no workers" --yes with-workflow-update-options --versioning-override-behavior pinned --versioning-override-deployment-name "$WORKER_DEPLOYMENT" --versioning-override-build-id "$OLD"`,
  );
  expect(moved).toMatchObject({ exitCode: 0 });
  await release(held);
  for (const { documentId } of held) {
    expect([documentId, (await ended(scene.person, documentId)).status]).toEqual([
      documentId,
      'complete',
    ]);
  }
  await untilTrue('nobody waits any more', async () => (await watch()).exitCode === 0);
});
