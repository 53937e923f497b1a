/** A worker on our one task queue: a second queue would forfeit eager dispatch. Limits toward vendors live elsewhere. */
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type {
  EraseActivities,
  IngestActivities,
  ReconcileActivities,
} from '../../activities/contract.ts';

export interface WorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowBundlePath: string;
  readonly activities: IngestActivities & EraseActivities & Partial<ReconcileActivities>;
  /** Without it every worker takes every run. */
  readonly version?: WorkerDeploymentVersion | undefined;
}

export async function createWorker(options: WorkerOptions): Promise<Worker> {
  const { connection, namespace, taskQueue, workflowBundlePath, activities, version } = options;
  return await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: workflowBundlePath },
    activities: { ...activities },
    // Documents take minutes, so old workers can wait until theirs have ended.
    ...(version && {
      workerDeploymentOptions: {
        version,
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
    // After a kill, waiting documents stand still for this long before another worker gets their tasks (default 10 s).
    stickyQueueScheduleToStartTimeout: '1 second',
    maxCachedWorkflows: 500,
    // What waits here waits in no fair order, and no more calls of vendors are under way at once than twice eight.
    maxConcurrentActivityTaskExecutions: 16,
    // A worker that hangs swallows one try with each poll it has open; they grow in number only with the work.
    activityTaskPollerBehavior: { type: 'autoscaling', initial: 1, minimum: 1, maximum: 10 },
    // The ticker's heartbeat must leave often enough for a timeout of 2.5 s.
    defaultHeartbeatThrottleInterval: '500 milliseconds',
    maxHeartbeatThrottleInterval: '500 milliseconds',
    // Longer than any step between two looks at the cancellation signal.
    shutdownGraceTime: '20 seconds',
    shutdownForceTime: '25 seconds',
  });
}
