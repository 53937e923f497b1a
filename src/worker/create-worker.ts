/** A worker on our one task queue: a second queue would forfeit eager dispatch. Limits toward vendors live elsewhere. */
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import {
  type ActivityInterceptorsFactory,
  type NativeConnection,
  type WorkerOptions as SdkOptions,
  Worker,
} from '@temporalio/worker';
import type {
  EraseActivities,
  IngestActivities,
  ReconcileActivities,
} from '../../activities/contract.ts';

export interface WorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly identity?: string;
  readonly workflowBundlePath: string;
  readonly dataConverter?: DataConverter;
  readonly activities: IngestActivities & EraseActivities & Partial<ReconcileActivities>;
  /** What is round each of them. */
  readonly activityInterceptors?: readonly ActivityInterceptorsFactory[];
  readonly sinks?: NonNullable<SdkOptions['sinks']>;
  /** Without it every worker takes every run. */
  readonly version?: WorkerDeploymentVersion | undefined;
}

export async function createWorker(options: WorkerOptions): Promise<Worker> {
  const { connection, namespace, taskQueue, workflowBundlePath, activities, identity } = options;
  const { activityInterceptors = [], sinks = {}, version } = options;
  return await Worker.create({
    connection,
    namespace,
    taskQueue,
    ...(identity === undefined ? {} : { identity }),
    workflowBundle: { codePath: workflowBundlePath },
    dataConverter: options.dataConverter ?? {},
    activities: { ...activities },
    interceptors: { activity: [...activityInterceptors] },
    sinks,
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
    maxConcurrentWorkflowTaskExecutions: 40,
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
