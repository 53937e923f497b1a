/** Reconciliation goes pass by pass and page by page; a party that is out of order keeps no other pass waiting. */
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReconciledPage, ReconcilePage } from '../../activities/contract.ts';
import type { Pass } from '../../src/domain/reconciliation.ts';
import { type ReconcileInput, type ReconcileResult, workflowTypes } from '../../src/domain/run.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { startTimeSkipping, uniqueTaskQueue } from '../support/temporal.ts';
import { failure } from '../support/workflow-run.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

async function run(
  passes: readonly Pass[],
  activity: (page: ReconcilePage) => Promise<ReconciledPage>,
): Promise<{ readonly result: ReconcileResult; readonly pages: readonly string[] }> {
  const pages: string[] = [];
  const taskQueue = uniqueTaskQueue();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: await workflowBundle() },
    activities: {
      reconcile: async (page: ReconcilePage) => {
        pages.push(`${page.pass} ${page.cursor ?? 'first'}`);
        return await activity(page);
      },
    },
  });
  const input: ReconcileInput = { passes };
  const handle = await environment.client.workflow.start(workflowTypes.reconcile, {
    workflowId: `reconcile/${randomUUID()}`,
    taskQueue,
    args: [input],
  });
  const result = (await worker.runUntil(handle.result())) as ReconcileResult;
  return { result, pages };
}

test('every page of every pass, and the counts of all of them', async () => {
  const { result, pages } = await run(['attempts', 'chunks'], async ({ cursor }) => ({
    tally: { 'row-without-run': { healed: 1 } },
    ...(cursor === undefined ? { next: 'second' } : {}),
  }));
  expect(pages).toEqual(['attempts first', 'attempts second', 'chunks first', 'chunks second']);
  expect(result).toEqual({ tally: { 'row-without-run': { healed: 4 } }, brokenOff: [] });
});

test('a vendor that is out of order breaks off its own pass alone', async () => {
  const { result, pages } = await run(['vendorJobs', 'attempts'], async ({ pass }) => {
    if (pass === 'vendorJobs') throw failure('LLAMAPARSE_FORBIDDEN');
    return { tally: {} };
  });
  expect(result).toEqual({ tally: {}, brokenOff: ['vendorJobs'] });
  expect(pages.at(-1)).toBe('attempts first');
});
