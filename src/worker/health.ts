/** Live: the event loop turns and the worker has not failed. Ready: it polls, and Temporal answers on its connection. */
import type { NativeConnection, Worker } from '@temporalio/worker';
import { eventLoopCheck, type HealthCheck, unwell } from '../observability/health.ts';

export interface WorkerHealth {
  readonly liveness: readonly HealthCheck[];
  readonly readiness: readonly HealthCheck[];
  readonly facts: () => Readonly<Record<string, string | number>>;
}

const ended = ['FAILED', 'STOPPED'];

/** A worker without work is as well as any: being idle is never a reason. */
export function workerHealth(worker: Worker, connection: NativeConnection): WorkerHealth {
  return {
    liveness: [
      eventLoopCheck(),
      {
        name: 'worker',
        check: async () => {
          if (ended.includes(worker.getState())) throw unwell(worker.getState());
        },
      },
    ],
    readiness: [
      {
        name: 'worker',
        check: async () => {
          if (worker.getState() !== 'RUNNING') throw unwell(worker.getState());
        },
      },
      {
        name: 'connection',
        check: async (signal) => {
          await connection.withAbortSignal(signal, () =>
            connection.workflowService.getSystemInfo({}),
          );
        },
      },
    ],
    facts: () => {
      const {
        runState,
        numInFlightActivities,
        numInFlightWorkflowActivations,
        numCachedWorkflows,
      } = worker.getStatus();
      return {
        state: runState,
        activities: numInFlightActivities,
        workflowTasks: numInFlightWorkflowActivations,
        cachedWorkflows: numCachedWorkflows,
      };
    },
  };
}
