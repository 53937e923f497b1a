/** The schedules of reconciliation: created once, brought up to date by every worker that starts. */
import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { allPasses, passes } from '../domain/reconciliation.ts';
import { type ReconcileInput, workflowTypes } from '../domain/run.ts';
import { reachable } from './runs.ts';

export interface ScheduleSettings {
  readonly taskQueue: string;
  /** What is cheap to look at. */
  readonly everyMs: number;
  /** What walks everything that is stored. */
  readonly thoroughEveryMs: number;
}

/** Several installations may share a namespace. */
export function scheduleIds(taskQueue: string) {
  return {
    hour: `reconcile/quick/${taskQueue}`,
    day: `reconcile/thorough/${taskQueue}`,
  } as const;
}

/** A run that was missed is not made up for: the next one finds the same. */
const CATCH_UP = '1 minute';

export async function ensureSchedules(client: Client, settings: ScheduleSettings): Promise<void> {
  await ensureSchedule(client, settings, 'hour');
  await ensureSchedule(client, settings, 'day');
}

async function ensureSchedule(
  client: Client,
  { taskQueue, everyMs, thoroughEveryMs }: ScheduleSettings,
  often: 'hour' | 'day',
): Promise<void> {
  const scheduleId = scheduleIds(taskQueue)[often];
  const input: ReconcileInput = { passes: allPasses.filter((pass) => passes[pass] === often) };
  const schedule = {
    spec: { intervals: [{ every: often === 'hour' ? everyMs : thoroughEveryMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflowTypes.reconcile,
      workflowId: scheduleId,
      taskQueue,
      args: [input],
      workflowTaskTimeout: '3 seconds' as const,
      staticSummary: `reconciliation, every ${often}: rows, runs, objects and parse jobs`,
    },
  };
  await reachable(client, async () => {
    try {
      await client.schedule.create({ scheduleId, ...schedule });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // What an operator has set, such as a pause, stays.
      await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...schedule, state }));
    }
  });
}
