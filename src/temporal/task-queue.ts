/** Who works on our task queue, as Temporal sees it: also when no worker is left that could tell. */
import type { TemporalClient } from './client.ts';

/** `temporal.api.enums.v1.TaskQueueType` */
const taskQueueTypes = { workflow: 1, activity: 2 } as const;
export type TaskType = keyof typeof taskQueueTypes;

export interface TaskQueueState {
  readonly taskType: TaskType;
  readonly pollers: number;
  readonly backlog: number;
}

export async function describeTaskQueue(
  { client, namespace }: TemporalClient,
  name: string,
): Promise<readonly TaskQueueState[]> {
  const asked = Object.entries(taskQueueTypes).map(async ([taskType, taskQueueType]) => {
    const { pollers, stats } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType,
      reportStats: true,
    });
    return {
      taskType: taskType as TaskType,
      pollers: pollers?.length ?? 0,
      backlog: Number(stats?.approximateBacklogCount ?? 0),
    };
  });
  return await Promise.all(asked);
}
