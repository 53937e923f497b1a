/** The operators' way to runs: updates with an answer, a look at one of them, and the list by a query. */
import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type ErrorCode, IntakeError, isErrorCode } from '../domain/errors.ts';
import { type DocumentId, ingestWorkflowId, parseId } from '../domain/ids.ts';
import {
  type Asked,
  type OperatorAnswer,
  queryNames,
  type Standing,
  updateNames,
} from '../domain/operators.ts';
import { signalNames, workflowTypes } from '../domain/run.ts';
import { awayStatus, orGone, reachable } from './runs.ts';

export interface RunRef {
  readonly documentId: DocumentId;
  readonly runId: string;
}

/** One run, as Temporal and a worker tell it. */
export interface SeenRun {
  readonly state: 'open' | 'closed' | 'delayed';
  /** The activity under way, whose tries the run itself does not see. */
  readonly activity: PendingActivity | undefined;
  /** In the run's own words; `undefined` when no worker answers. */
  readonly standing: Standing | undefined;
}

interface PendingActivity {
  readonly try: number;
  /** `undefined` where only the deadline ends them. */
  readonly mostTries: number | undefined;
  readonly lastError: ErrorCode | undefined;
  readonly nextTryAt: Date | undefined;
  readonly deadlineAt: Date | undefined;
}

export interface FoundRuns {
  readonly runs: readonly RunRef[];
  readonly next: string | undefined;
}

export interface RunDesk {
  /**
   * `closed`: only the row is left to ask. `delayed`: it is not asked, since even a rejected update would end its start
   * delay. Throws the run's refusal, and `SERVICE_UNAVAILABLE` when no worker takes it up.
   */
  ask(
    run: RunRef,
    name: keyof typeof updateNames,
    request: Asked,
  ): Promise<OperatorAnswer | 'closed' | 'delayed'>;
  /** By signal, which a start delay survives. */
  extendUpload(run: RunRef, until: Date): Promise<void>;
  look(run: RunRef): Promise<SeenRun | undefined>;
  /** Runs of documents by a query of Temporal's visibility. */
  find(
    query: string,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<FoundRuns>;
}

/** A worker that polls takes an update up at once; failing a document waits for what is under way to stop. */
const ANSWER_DEADLINE_MS = 15_000;
/** Somebody looks at a screen. */
const QUERY_DEADLINE_MS = 2_000;

export function createRunDesk(client: Client, taskQueue: string): RunDesk {
  return {
    ask: (run, name, request) =>
      orGone(async () => {
        const { historyLength } = await reachable(client, () => handleOf(client, run).describe());
        if (historyLength < EVENTS_OF_A_FIRST_TASK) return 'delayed';
        return await ask(client, run, { name, request });
      }, 'closed' as const),
    extendUpload: (run, until) =>
      reachable(client, () =>
        orGone(
          () =>
            handleOf(client, run).signal(signalNames.uploadExtended, { untilMs: until.getTime() }),
          undefined,
        ),
      ),
    look: (run) => reachable(client, () => orGone(() => look(client, run), undefined)),
    find: (query, page) => find(client, { query, taskQueue, ...page }),
  };
}

/** Started, and a workflow task scheduled, started and completed: a run in its start delay has not got there. */
const EVENTS_OF_A_FIRST_TASK = 4;

function handleOf(client: Client, { documentId, runId }: RunRef) {
  return client.workflow.getHandle(ingestWorkflowId(documentId), runId);
}

async function ask(
  client: Client,
  run: RunRef,
  { name, request }: { readonly name: keyof typeof updateNames; readonly request: Asked },
): Promise<OperatorAnswer> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () =>
      handleOf(client, run).executeUpdate<OperatorAnswer, [Asked]>(updateNames[name], {
        args: [request],
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusal(error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || awayStatus(error)) {
      throw new IntakeError('SERVICE_UNAVAILABLE', {
        detail: 'the run did not answer: is a worker running? It may still do what was asked',
        cause: error,
      });
    }
    throw error;
  }
}

/** In the run's own words: what was wrong with the request, or what stands in its way. */
function refusal({ cause }: WorkflowUpdateFailedError): IntakeError {
  const code = cause instanceof ApplicationFailure && cause.type === 'INVALID_REQUEST';
  return new IntakeError(code ? 'INVALID_REQUEST' : 'NOT_POSSIBLE_NOW', {
    ...(cause && { detail: cause.message }),
  });
}

async function look(client: Client, run: RunRef): Promise<SeenRun> {
  const handle = handleOf(client, run);
  const description = await handle.describe();
  const state = stateOf(description);
  return {
    state,
    activity: pendingActivity(description),
    standing: state === 'open' ? await standingOf(client, run) : undefined,
  };
}

function stateOf({ status, historyLength }: WorkflowExecutionDescription): SeenRun['state'] {
  if (status.name !== 'RUNNING') return 'closed';
  return historyLength < EVENTS_OF_A_FIRST_TASK ? 'delayed' : 'open';
}

/** A worker that is away or of another version leaves the rest of the answer as it is. */
async function standingOf(client: Client, run: RunRef): Promise<Standing | undefined> {
  try {
    return await client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () =>
      handleOf(client, run).query<Standing>(queryNames.explain),
    );
  } catch {
    return undefined;
  }
}

function pendingActivity({ raw }: WorkflowExecutionDescription): PendingActivity | undefined {
  const pending = raw.pendingActivities?.[0];
  if (!pending) return undefined;
  const code = pending.lastFailure?.applicationFailureInfo?.type;
  return {
    try: pending.attempt ?? 1,
    mostTries: pending.maximumAttempts || undefined,
    lastError: code && isErrorCode(code) ? code : undefined,
    nextTryAt: dateOf(pending.nextAttemptScheduleTime),
    deadlineAt: dateOf(pending.expirationTime),
  };
}

function dateOf(at: { seconds?: unknown } | null | undefined): Date | undefined {
  const seconds = Number(at?.seconds ?? 0);
  return seconds > 0 ? new Date(seconds * 1000) : undefined;
}

interface Search {
  readonly query: string;
  readonly taskQueue: string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

async function find(
  client: Client,
  { query, taskQueue, limit, cursor }: Search,
): Promise<FoundRuns> {
  const ours = `WorkflowType = '${workflowTypes.ingest}' AND TaskQueue = '${taskQueue}'`;
  const answer = await understood(() =>
    reachable(client, () =>
      client.workflowService.listWorkflowExecutions({
        namespace: client.options.namespace,
        query: `${ours} AND (${query})`,
        pageSize: limit,
        nextPageToken: Buffer.from(cursor ?? '', 'base64url'),
      }),
    ),
  );
  const runs = (answer.executions ?? []).flatMap(({ execution, type, taskQueue: queue }) => {
    const documentId = parseId<DocumentId>(execution?.workflowId?.split('/')[1] ?? '');
    // Whatever the query's own brackets made of the condition before it.
    const isOurs = type?.name === workflowTypes.ingest && queue === taskQueue;
    return isOurs && documentId && execution?.runId ? [{ documentId, runId: execution.runId }] : [];
  });
  const token = Buffer.from(answer.nextPageToken ?? []).toString('base64url');
  return { runs, next: token === '' ? undefined : token };
}

const INVALID_ARGUMENT = 3;

/** A query that Temporal does not understand is its sender's. */
async function understood<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const fault =
      error instanceof Error ? (error as Error & { code?: unknown; details?: unknown }) : undefined;
    if (fault?.code !== INVALID_ARGUMENT) throw error;
    throw new IntakeError('INVALID_REQUEST', { detail: `query: ${String(fault.details)}` });
  }
}
