/** What Temporal knows about runs, for reconciliation: of one document, and all that are open on our task queue. */
import { type Client, WorkflowFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  defineSearchAttributeKey,
  SearchAttributeType,
} from '@temporalio/common';
import { type ErrorCode, isErrorCode } from '../domain/errors.ts';
import {
  type AttemptId,
  type DocumentId,
  eraseWorkflowId,
  ingestWorkflowId,
  parseId,
} from '../domain/ids.ts';
import { workflowTypes } from '../domain/run.ts';
import { orGone, reachable } from './runs.ts';
import { workersByVersion } from './versions.ts';

/** The latest run of a document. */
export interface KnownRun {
  readonly runId: string;
  readonly attemptId: AttemptId | undefined;
  /** `undefined` while it is open. */
  readonly closedAt: Date | undefined;
  /** A worker has had it in its hands: it may remember what it did. */
  readonly hasBegun: boolean;
}

export interface OpenRun {
  readonly documentId: DocumentId;
  /** Of an ingestion. */
  readonly attemptId: AttemptId | undefined;
  readonly startedAt: Date;
  /** Of the workers that alone may take it up; `undefined` while any may. */
  readonly version: string | undefined;
}

export interface RunReadings {
  latestRun(documentId: DocumentId): Promise<KnownRun | undefined>;
  /** Why a closed run failed or was cancelled; `undefined` when it closed in another way. */
  failureOf(documentId: DocumentId, runId: string): Promise<ErrorCode | undefined>;
  /** Without a last word of the run: only where another takes its place. */
  terminate(documentId: DocumentId, runId: string): Promise<void>;
  isErasing(documentId: DocumentId): Promise<boolean>;
  openRuns(type: 'ingest' | 'erase'): AsyncIterable<OpenRun>;
  /** Versions that have a worker. */
  servedVersions(): Promise<ReadonlySet<string>>;
}

/** Kept by the server. */
const versionKey = defineSearchAttributeKey(
  'TemporalWorkerDeploymentVersion',
  SearchAttributeType.KEYWORD,
);

/** Started, a confirm, and a workflow task that is scheduled and perhaps in the hands of a worker. */
const EVENTS_BEFORE_WORK = 4;

export function createRunReadings(client: Client, taskQueue: string): RunReadings {
  const describe = (workflowId: string) =>
    reachable(client, () =>
      orGone(() => client.workflow.getHandle(workflowId).describe(), undefined),
    );
  return {
    latestRun: async (documentId) => {
      const run = await describe(ingestWorkflowId(documentId));
      if (run === undefined) return undefined;
      const closedAt = run.status.name === 'RUNNING' ? undefined : (run.closeTime ?? new Date());
      const hasBegun = run.historyLength > EVENTS_BEFORE_WORK;
      return { runId: run.runId, attemptId: attemptOf(run.memo), closedAt, hasBegun };
    },
    failureOf: (documentId, runId) => reachable(client, () => failureOf(client, documentId, runId)),
    terminate: (documentId, runId) =>
      reachable(client, () =>
        orGone(async () => {
          const run = client.workflow.getHandle(ingestWorkflowId(documentId), runId);
          await run.terminate('its row was restored from before');
        }, undefined),
      ),
    isErasing: async (documentId) =>
      (await describe(eraseWorkflowId(documentId)))?.status.name === 'RUNNING',
    openRuns: (type) => openRuns(client, type, taskQueue),
    servedVersions: async () => {
      const { namespace } = client.options;
      return new Set((await workersByVersion(client, { namespace, taskQueue })).keys());
    },
  };
}

/** Visibility may be a moment behind: what is seen here is looked at again where it is treated. */
async function* openRuns(
  client: Client,
  type: 'ingest' | 'erase',
  taskQueue: string,
): AsyncGenerator<OpenRun> {
  const query = `WorkflowType = '${workflowTypes[type]}' AND ExecutionStatus = 'Running' AND TaskQueue = '${taskQueue}'`;
  const found = client.workflow.list({ query })[Symbol.asyncIterator]();
  for (;;) {
    const step = await reachable(client, () => found.next());
    if (step.done) return;
    const { workflowId, memo, startTime: startedAt, typedSearchAttributes } = step.value;
    const documentId = parseId<DocumentId>(workflowId.slice(workflowId.indexOf('/') + 1));
    if (documentId === undefined) continue;
    const version = typedSearchAttributes.get(versionKey);
    yield { documentId, attemptId: attemptOf(memo), startedAt, version };
  }
}

function attemptOf(memo: Record<string, unknown> | undefined): AttemptId | undefined {
  const value = memo?.['attemptId'];
  return typeof value === 'string' ? parseId<AttemptId>(value) : undefined;
}

async function failureOf(
  client: Client,
  documentId: DocumentId,
  runId: string,
): Promise<ErrorCode | undefined> {
  try {
    await client.workflow.getHandle(ingestWorkflowId(documentId), runId).result();
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) return 'CANCELLED';
    const code = cause instanceof ApplicationFailure ? cause.type : undefined;
    return typeof code === 'string' && isErrorCode(code) ? code : undefined;
  }
}
