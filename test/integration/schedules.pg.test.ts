/** The schedules of reconciliation on a real server: created once, brought up to date, and what they start heals. */
import { randomUUID } from 'node:crypto';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReconcileResult } from '../../src/domain/run.ts';
import { ensureSchedules } from '../../src/temporal/schedules.ts';
import { declare, type Road, startRoad } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
beforeAll(async () => {
  road = await startRoad();
  await road.startWorker();
});
afterAll(() => road.close());

test('a worker that starts again changes what was configured, and keeps what was paused', async () => {
  const { schedule } = road.temporal.client;
  const taskQueue = road.config.TASK_QUEUE;
  const quick = schedule.getHandle(`reconcile/quick/${taskQueue}`);
  const thorough = schedule.getHandle(`reconcile/thorough/${taskQueue}`);
  try {
    const { client } = road.temporal;
    await ensureSchedules(client, { taskQueue, everyMs: 3_600_000, thoroughEveryMs: 86_400_000 });
    await quick.pause('by an operator');
    await ensureSchedules(client, { taskQueue, everyMs: 1_800_000, thoroughEveryMs: 86_400_000 });
    expect(await quick.describe()).toMatchObject({
      spec: { intervals: [{ every: 1_800_000 }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      state: { paused: true },
    });
    expect((await thorough.describe()).action).toMatchObject({
      args: [{ passes: expect.arrayContaining(['objects', 'folders', 'deletions']) }],
    });
  } finally {
    await Promise.all([quick.delete(), thorough.delete()]);
  }
});

test('a triggered one finds, heals and says how many', async () => {
  const me = await road.person();
  const content = `# Policy\n\n${randomUUID()}\n`;
  const deleted = await declare(me, { content });
  await road.database.pool.query(
    `update intake.documents set deleted_at = now() - interval '1 hour', name = '', sha256 = null, erase_run_id = 'lost'
     where id = $1`,
    [deleted.documentId],
  );
  const forgotten = await declare(me, { content: `${content}again\n` });
  await road.shared.objectStore.put(
    `tombstones/${forgotten.documentId}.${me.ownerId}.${Date.now() + 60_000}`,
    new Uint8Array(),
    { contentType: 'text/plain' },
  );
  const taskQueue = road.config.TASK_QUEUE;
  const quick = road.temporal.client.schedule.getHandle(`reconcile/quick/${taskQueue}`);
  const thorough = road.temporal.client.schedule.getHandle(`reconcile/thorough/${taskQueue}`);
  try {
    const { client } = road.temporal;
    await ensureSchedules(client, { taskQueue, everyMs: 3_600_000, thoroughEveryMs: 86_400_000 });
    await quick.trigger();
    await thorough.trigger();
    const results = await Promise.all(
      [quick, thorough].map(async (handle) => {
        const workflowId = await until('it has started', async () => {
          const [action] = (await handle.describe()).info.recentActions;
          return action?.action.type === 'startWorkflow'
            ? action.action.workflow.workflowId
            : undefined;
        });
        return (await client.workflow.getHandle(workflowId).result()) as ReconcileResult;
      }),
    );
    expect(results).toEqual([
      { tally: { 'erasure-without-run': { healed: 1 } }, brokenOff: [] },
      { tally: { 'deletion-forgotten': { healed: 1 } }, brokenOff: [] },
    ]);
    await expect(me.api.document(forgotten.documentId)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  } finally {
    await Promise.all([quick.delete(), thorough.delete()]);
  }
});
