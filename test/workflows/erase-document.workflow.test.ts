/** Erasure sweeps twice, and never right behind a run that was just cancelled. */
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EraseSweep } from '../../activities/contract.ts';
import { type DocumentId, eraseWorkflowId } from '../../src/domain/ids.ts';
import { workflowTypes } from '../../src/domain/run.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { startTimeSkipping, uniqueTaskQueue } from '../support/temporal.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const minute = 60_000;

test.each([
  ['no URL was issued', 0, 10 * minute],
  ['a URL lives on for an hour', 60 * minute, 70 * minute],
])('%s', async (_name, urlLivesMs, atLeastMs) => {
  const sweeps: boolean[] = [];
  const taskQueue = uniqueTaskQueue();
  const urlsExpireAtMs = urlLivesMs === 0 ? 0 : (await environment.currentTimeMs()) + urlLivesMs;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: await workflowBundle() },
    activities: {
      eraseDocument: async ({ final }: EraseSweep) => {
        sweeps.push(final);
        return { urlsExpireAtMs };
      },
    },
  });
  const documentId = randomUUID() as DocumentId;
  const handle = await environment.client.workflow.start(workflowTypes.erase, {
    workflowId: eraseWorkflowId(documentId),
    taskQueue,
    args: [{ documentId, secondSweepAfterMs: 10 * minute }],
  });
  await worker.runUntil(handle.result());
  const { startTime, closeTime } = await handle.describe();
  expect((closeTime?.getTime() ?? 0) - startTime.getTime()).toBeGreaterThanOrEqual(
    atLeastMs - 1_000,
  );
  expect(sweeps).toEqual([false, true]);
});
