/** Real histories of every outcome, replayed against the workflows as they are now. */
import { readdir, readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';

const folder = new URL('./', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));

async function history(name: string) {
  return historyFromJSON(JSON.parse(await readFile(new URL(name, folder), 'utf8')));
}

describe('recorded runs', () => {
  test('cover every way a run closes', async () => {
    const closings = new Set<string>();
    for (const name of names) {
      const last = (await history(name)).events?.at(-1);
      closings.add(Object.keys(last ?? {}).find((key) => key.endsWith('EventAttributes')) ?? '');
    }
    expect([...closings].toSorted()).toEqual([
      'workflowExecutionCanceledEventAttributes',
      'workflowExecutionCompletedEventAttributes',
      'workflowExecutionFailedEventAttributes',
    ]);
  });

  test.each(names)('%s replays', async (name) => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: await workflowBundle() } }, await history(name));
  });

  test('a changed workflow does not', async () => {
    const changed = new URL('./changed-workflow.ts', import.meta.url).pathname;
    const { code } = await bundleWorkflowCode({ workflowsPath: changed, logger: new DefaultLogger('ERROR') });
    const replay = Worker.runReplayHistory({ workflowBundle: { code } }, await history('complete.json'));
    await expect(replay).rejects.toThrow(DeterminismViolationError);
  });
});
