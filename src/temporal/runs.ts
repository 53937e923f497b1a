/** Starting, signalling and stopping the runs of documents: the only place that knows workflow options. */
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { decodeTimeoutType } from '@temporalio/common';
import { IntakeError } from '../domain/errors.ts';
import {
  type AttemptId,
  type DocumentId,
  eraseWorkflowId,
  ingestWorkflowId,
  type OwnerId,
} from '../domain/ids.ts';
import type { Phase, StartStage } from '../domain/ingestion.ts';
import {
  type IngestInput,
  type IngestPolicy,
  type ParseEvent,
  signalNames,
  workflowTypes,
} from '../domain/run.ts';
import { withinTrace } from '../observability/trace-context.ts';
import { searchAttributes } from './search-attributes.ts';

export interface RunRequest {
  readonly documentId: DocumentId;
  readonly attemptId: AttemptId;
  readonly ownerId: OwnerId;
  readonly attemptNumber: number;
  readonly startStage: StartStage;
  readonly uploadExpiresAt: Date;
  /** The bytes are said to be there: no start delay. */
  readonly confirmed: boolean;
}

export interface RunSettings {
  readonly taskQueue: string;
  readonly startDelayMs: number;
  /** Where the API is, for the way from a run to its document. */
  readonly publicUrl: string | undefined;
  readonly eraseSecondSweepMs: number;
  readonly policy: Omit<IngestPolicy, 'uploadExpiresAtMs'>;
}

export interface Runs {
  /** The run of this attempt, started now or before; `undefined` while the run of an earlier attempt is still closing. */
  start(request: RunRequest): Promise<string | undefined>;
  /** Wakes the run, starting it if it was lost. `closed`: the run has ended, and the row answers. */
  confirm(request: RunRequest): Promise<'signalled' | 'closed'>;
  /**
   * Temporal's own cancel, of this attempt's run alone; it also ends a start delay. False when no run of the attempt was
   * found: it may have closed long ago, or its start may still be on its way.
   */
  stop(attempt: {
    readonly documentId: DocumentId;
    readonly attemptId: AttemptId;
  }): Promise<boolean>;
  erase(documentId: DocumentId): Promise<string>;
  signalParseEvent(documentId: DocumentId, event: ParseEvent): Promise<'delivered' | 'closed'>;
  openRunId(documentId: DocumentId): Promise<string | undefined>;
  /** Whether the try before the present one of this activity ended because its heartbeats did. */
  wasWorkerLost(activity: {
    readonly documentId: DocumentId;
    readonly runId: string;
    readonly activityId: string;
  }): Promise<boolean>;
}

/** The SDK would try for some 20 s, while somebody waits who can try again; what was committed the outbox sweep starts. */
const CALL_DEADLINE_MS = 5_000;

export function createRuns(client: Client, settings: RunSettings): Runs {
  const ask = <Answer>(call: () => Promise<Answer>): Promise<Answer> =>
    withinTrace(() => reachable(client, call));
  return {
    start: (request) => ask(() => start(client, settings, request)),
    confirm: (request) => ask(() => confirm(client, settings, request)),
    stop: (attempt) => ask(() => stop(client, attempt)),
    erase: (documentId) => ask(() => erase(client, settings, documentId)),
    signalParseEvent: (documentId, event) =>
      ask(() =>
        orGone(async () => {
          await client.workflow
            .getHandle(ingestWorkflowId(documentId))
            .signal(signalNames.parseEvent, event);
          return 'delivered' as const;
        }, 'closed' as const),
      ),
    openRunId: (documentId) => ask(() => openRunId(client, documentId)),
    wasWorkerLost: (activity) => ask(() => wasWorkerLost(client, activity)),
  };
}

function startOptions({ taskQueue, policy, publicUrl }: RunSettings, request: RunRequest) {
  const { documentId, attemptId, startStage } = request;
  const input: IngestInput = {
    documentId,
    attemptId,
    startStage,
    policy: { ...policy, uploadExpiresAtMs: request.uploadExpiresAt.getTime() },
  };
  return {
    workflowId: ingestWorkflowId(documentId),
    taskQueue,
    args: [input] as [IngestInput],
    // A workflow task in the hands of a killed worker comes back after this long (default 10 s).
    workflowTaskTimeout: '3 seconds',
    memo: { attemptId },
    staticSummary: `attempt ${request.attemptNumber}, from ${startStage}`,
    staticDetails: details(documentId, publicUrl),
    typedSearchAttributes: [
      {
        key: searchAttributes.documentStatus,
        value: (startStage === 'verify' ? 'awaiting_upload' : 'parsing') satisfies Phase,
      },
      { key: searchAttributes.tenantId, value: request.ownerId },
    ],
    // People who wait come before later bulk lanes; among tenants the server shares fairly by the key.
    priority: { priorityKey: 2, fairnessKey: request.ownerId },
  };
}

/** Readable before the first task, and after the last worker of its version has gone. */
function details(documentId: DocumentId, publicUrl: string | undefined): string {
  const address = publicUrl && `${publicUrl.replace(/\/$/, '')}/v1/documents/${documentId}`;
  return [
    `Document: ${address ? `[${documentId}](${address})` : documentId}. Why it stands where it stands: \`intake explain ${documentId}\`.`,
    'Before its first task this run waits for the upload: the owner has a signed URL, and confirms. It answers no ' +
      'query then, and **an update, even one that is refused, ends that wait**: use `intake extend`, `intake fail`, ' +
      '`intake cancel`, which know.',
  ].join('\n\n');
}

async function start(
  client: Client,
  settings: RunSettings,
  request: RunRequest & { readonly followsClosedRun?: true },
): Promise<string | undefined> {
  // A second start of a first attempt must not run again after it has closed; later attempts follow a closed run.
  const mayFollow = request.followsClosedRun ?? request.attemptNumber > 1;
  try {
    const handle = await client.workflow.start(workflowTypes.ingest, {
      ...startOptions(settings, request),
      ...(request.confirmed || request.startStage !== 'verify'
        ? {}
        : { startDelay: settings.startDelayMs }),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: mayFollow ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    });
    return handle.firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  const { memo, runId, status } = await client.workflow
    .getHandle(ingestWorkflowId(request.documentId))
    .describe();
  if (status.name === 'RUNNING') {
    // A start that lost its answer finds its own run; that of an earlier attempt is still closing.
    return memo?.['attemptId'] === request.attemptId ? runId : undefined;
  }
  // It has closed just now, and the next try follows it.
  if (mayFollow) return undefined;
  // A closed run of an attempt that no row knows (the database was restored), or that closed without ending its row.
  return await start(client, settings, { ...request, followsClosedRun: true });
}

/** Without `startDelay`: with it, a lost start would wait the delay out. */
async function confirm(
  client: Client,
  settings: RunSettings,
  request: RunRequest,
): Promise<'signalled' | 'closed'> {
  try {
    await client.workflow.signalWithStart(workflowTypes.ingest, {
      ...startOptions(settings, request),
      signal: signalNames.confirmUpload,
      signalArgs: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
    return 'signalled';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'closed';
    throw error;
  }
}

async function stop(
  client: Client,
  { documentId, attemptId }: Pick<RunRequest, 'documentId' | 'attemptId'>,
): Promise<boolean> {
  return await orGone(async () => {
    const workflowId = ingestWorkflowId(documentId);
    const { memo, runId } = await client.workflow.getHandle(workflowId).describe();
    if (memo?.['attemptId'] !== attemptId) return false;
    await orGone(() => client.workflow.getHandle(workflowId, runId).cancel(), undefined);
    return true;
  }, false);
}

async function erase(
  client: Client,
  settings: RunSettings,
  documentId: DocumentId,
): Promise<string> {
  const handle = await client.workflow.start(workflowTypes.erase, {
    workflowId: eraseWorkflowId(documentId),
    taskQueue: settings.taskQueue,
    args: [{ documentId, secondSweepAfterMs: settings.eraseSecondSweepMs }],
    staticSummary: 'erase a deleted document at every place, twice, and prove it',
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });
  return handle.firstExecutionRunId;
}

async function openRunId(client: Client, documentId: DocumentId): Promise<string | undefined> {
  const description = await orGone(
    () => client.workflow.getHandle(ingestWorkflowId(documentId)).describe(),
    undefined,
  );
  return description?.status.name === 'RUNNING' ? description.runId : undefined;
}

async function wasWorkerLost(
  client: Client,
  { documentId, runId, activityId }: Parameters<Runs['wasWorkerLost']>[0],
): Promise<boolean> {
  const { raw } = await client.workflow.getHandle(ingestWorkflowId(documentId), runId).describe();
  const activity = raw.pendingActivities?.find((pending) => pending.activityId === activityId);
  return decodeTimeoutType(activity?.lastFailure?.timeoutFailureInfo?.timeoutType) === 'HEARTBEAT';
}

export async function orGone<Answer, Gone>(
  call: () => Promise<Answer>,
  gone: Gone,
): Promise<Answer | Gone> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return gone;
    throw error;
  }
}

/** The statuses of gRPC that a server gives, or that stand for one, which is away or overwhelmed. */
const awayStatuses: ReadonlyMap<unknown, string> = new Map([
  [1, 'CANCELLED'],
  [4, 'DEADLINE_EXCEEDED'],
  [8, 'RESOURCE_EXHAUSTED'],
  [14, 'UNAVAILABLE'],
]);

/** What says that Temporal is away; a stream that broke is INTERNAL, among much that is not. */
export function awayStatus(error: unknown): string | undefined {
  const fault = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(fault)) return undefined;
  const broken = /RST_STREAM|without gRPC status/i.test(fault.details) ? 'INTERNAL' : undefined;
  return awayStatuses.get(fault.code) ?? broken;
}

/** Temporal away is one of our codes; everything else is a bug of ours and keeps its stack. */
export async function reachable<Answer>(
  client: Client,
  call: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
  } catch (error) {
    const status = awayStatus(error);
    if (status === undefined) throw error;
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: `Temporal did not answer: ${status}`,
      cause: error,
    });
  }
}
