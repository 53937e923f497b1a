/** A worker on our one task queue: a second queue would forfeit eager dispatch. Limits toward vendors live elsewhere. */
import { NativeConnection, Worker } from '@temporalio/worker';
import type { EraseActivities, IngestActivities } from '../../activities/contract.ts';
import { connectionSettings } from '../temporal/client.ts';

export interface WorkerOptions {
  readonly taskQueue: string;
  readonly workflowBundlePath: string;
  readonly activities: IngestActivities & EraseActivities;
}

export interface RunningWorker {
  readonly worker: Worker;
  close(): Promise<void>;
}

export async function createWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { connectionOptions, namespace = 'default' } = connectionSettings();
  const connection = await NativeConnection.connect(connectionOptions);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: options.taskQueue,
    workflowBundle: { codePath: options.workflowBundlePath },
    activities: { ...options.activities },
    // After a kill, waiting documents stand still for this long before another worker gets their tasks (default 10 s).
    stickyQueueScheduleToStartTimeout: '1 second',
    maxCachedWorkflows: 500,
    maxConcurrentActivityTaskExecutions: 40,
    // The ticker's heartbeat must leave often enough for a timeout of 3 s.
    defaultHeartbeatThrottleInterval: '1 second',
    maxHeartbeatThrottleInterval: '1 second',
    // Longer than any step between two looks at the cancellation signal.
    shutdownGraceTime: '20 seconds',
    shutdownForceTime: '25 seconds',
  });
  return { worker, close: () => connection.close() };
}
