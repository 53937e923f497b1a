/** What the server knows of our namespace and task queue, for operators. */
import type { TemporalClient } from './client.ts';
import { reachable } from './runs.ts';

/** `temporal.api.enums.v1.TaskQueueType` */
const queueTypes = { workflow: 1, activity: 2 } as const;
export type QueueType = keyof typeof queueTypes;

export interface Poller {
  readonly identity: string;
  readonly seenAt: Date;
}

export async function describeNamespace({ client, namespace }: TemporalClient): Promise<{
  readonly retentionDays: number;
}> {
  const { config } = await reachable(client, () =>
    client.workflowService.describeNamespace({ namespace }),
  );
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return { retentionDays: seconds / 86_400 };
}

/** Who asks for tasks of this type; the server forgets them after some minutes. */
export async function pollersOf(
  { client, namespace }: TemporalClient,
  taskQueue: string,
  type: QueueType,
): Promise<readonly Poller[]> {
  const { pollers } = await reachable(client, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: queueTypes[type],
    }),
  );
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    seenAt: new Date(Number(lastAccessTime?.seconds ?? 0) * 1000),
  }));
}
