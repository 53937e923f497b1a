/**
 * The versions of the workers and what hangs on each: what is watched while a new one takes over. A run ends on the
 * version that it began with, so the workers of a version stay until it is drained.
 */
import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { reachable } from './runs.ts';

/** As the server numbers them; `none` are workers and runs that name no version. */
const states = ['none', 'inactive', 'current', 'ramping', 'draining', 'drained'] as const;
export type VersionState = (typeof states)[number];

export interface Version {
  /** `undefined`: of workers and runs that name no version. */
  readonly buildId: string | undefined;
  readonly state: VersionState;
  /** Share of the new runs that a ramping version gets. */
  readonly percent: number | undefined;
  /** Polling, or gone for a minute at most. */
  readonly workers: number;
  readonly open: number;
  readonly completed: number;
  readonly failed: number;
  /** Nobody will take up its runs, unless its workers come back or the runs are moved. */
  readonly isStranded: boolean;
}

export interface VersionQuestion {
  readonly namespace: string;
  readonly taskQueue: string;
  readonly deploymentName: string;
  /** Runs that ended before are not counted. */
  readonly endedSince?: Date | undefined;
}

export async function listVersions(
  client: Client,
  question: VersionQuestion,
): Promise<readonly Version[]> {
  const [known, workers] = await Promise.all([
    knownVersions(client, question),
    workersByVersion(client, question),
  ]);
  const found: Version[] = [];
  for (const version of [noVersion, ...known]) {
    const { buildId } = version;
    const name = buildId === undefined ? '' : versionName(question.deploymentName, buildId);
    const its = { workers: workers.get(name) ?? 0, ...(await runsOf(client, question, buildId)) };
    // Runs of no version go to whatever workers there are.
    const isStranded = buildId !== undefined && its.open > 0 && its.workers === 0;
    if (buildId !== undefined || its.workers + its.open > 0)
      found.push({ ...version, ...its, isStranded });
  }
  return found;
}

const noVersion = { buildId: undefined, state: 'none', percent: undefined } as const;

async function knownVersions(
  client: Client,
  { namespace, deploymentName }: VersionQuestion,
): Promise<readonly Pick<Version, 'buildId' | 'state' | 'percent'>[]> {
  const described = await orUnknown(() =>
    reachable(client, () =>
      client.workflowService.describeWorkerDeployment({ namespace, deploymentName }),
    ),
  );
  const { versionSummaries, routingConfig } = described?.workerDeploymentInfo ?? {};
  return (versionSummaries ?? []).map(({ deploymentVersion, status }) => {
    const state = states.at(status ?? 0) ?? 'none';
    const percent = state === 'ramping' ? routingConfig?.rampingVersionPercentage : undefined;
    return { buildId: deploymentVersion?.buildId ?? '', state, percent: percent ?? undefined };
  });
}

/** Before the first versioned worker there is no deployment. */
async function orUnknown<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  const NOT_FOUND = 5;
  try {
    return await call();
  } catch (error) {
    const fault = error instanceof ServiceError ? error.cause : error;
    if (isGrpcServiceError(fault) && Number(fault.code) === NOT_FOUND) return undefined;
    throw error;
  }
}

/** The server remembers pollers for minutes; a poll that lives comes back within one. */
const SEEN_WITHIN_MS = 70_000;
const WORKFLOW_TASKS = 1;

/** By the name of their version; '' for workers that name none. */
export async function workersByVersion(
  client: Client,
  { namespace, taskQueue }: Pick<VersionQuestion, 'namespace' | 'taskQueue'>,
): Promise<ReadonlyMap<string, number>> {
  const { pollers } = await reachable(client, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TASKS,
    }),
  );
  const counts = new Map<string, number>();
  for (const { lastAccessTime, deploymentOptions } of pollers ?? []) {
    const seenAtMs = Number(lastAccessTime?.seconds ?? 0) * 1000;
    if (Date.now() - seenAtMs > SEEN_WITHIN_MS) continue;
    const { deploymentName = '', buildId } = deploymentOptions ?? {};
    const name = buildId ? versionName(`${deploymentName}`, buildId) : '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** As the search attribute `TemporalWorkerDeploymentVersion` of a run has it. */
function versionName(deploymentName: string, buildId: string): string {
  return `${deploymentName}:${buildId}`;
}

/** Those of before the last retention are forgotten. */
async function runsOf(
  client: Client,
  { taskQueue, deploymentName, endedSince }: VersionQuestion,
  buildId: string | undefined,
): Promise<Pick<Version, 'open' | 'completed' | 'failed'>> {
  const its =
    buildId === undefined
      ? 'TemporalWorkerDeploymentVersion IS NULL'
      : `TemporalWorkerDeploymentVersion = '${versionName(deploymentName, buildId)}'`;
  const since = endedSince === undefined ? '' : ` AND CloseTime >= '${endedSince.toISOString()}'`;
  const count = async (status: string, when = '') => {
    const query = `TaskQueue = '${taskQueue}' AND ${its} AND ExecutionStatus = '${status}'${when}`;
    return (await reachable(client, () => client.workflow.count(query))).count;
  };
  const [open, completed, failed] = await Promise.all([
    count('Running'),
    count('Completed', since),
    count('Failed', since),
  ]);
  return { open, completed, failed };
}
