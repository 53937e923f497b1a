/** Runs workflows against stub activities on the time-skipping server. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type {
  EraseActivities,
  IngestActivities,
  OperatorActivities,
} from '../../activities/contract.ts';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import {
  type AttemptId,
  type DocumentId,
  ingestWorkflowId,
  type ParseJobId,
} from '../../src/domain/ids.ts';
import type { StartStage } from '../../src/domain/ingestion.ts';
import {
  type IngestInput,
  type IngestResult,
  signalNames,
  workflowTypes,
} from '../../src/domain/run.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { uniqueTaskQueue } from './temporal.ts';

const parseJobId = '11111111-1111-4111-8111-111111111111' as ParseJobId;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Every call an activity got, in order, as `name` or `name:code`. */
export type Calls = string[];

export interface IngestRun {
  readonly handle: WorkflowHandle;
  readonly input: IngestInput;
  confirm(): Promise<void>;
  webhook(job?: ParseJobId): Promise<void>;
  result(): Promise<IngestResult>;
  /** How long the closed run took on the server's clock, which runs on while nobody looks. */
  durationMs(): Promise<number>;
}

export type Stubs = Partial<IngestActivities & OperatorActivities>;

/** What our activities throw: the code as type, retryable as the code says. */
export function failure(code: ErrorCode, nextRetryDelay?: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: errorCodes[code].message,
    nonRetryable: !errorCodes[code].retryable,
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay: nextRetryDelay as '1 second' }),
  });
}

/** Activities that succeed at once; `stubs` replace some of them, and every call is noted. */
function recording(
  calls: Calls,
  stubs: Stubs,
): IngestActivities & OperatorActivities & EraseActivities {
  const happy: IngestActivities & OperatorActivities = {
    verify: async () => ({ sizeBytes: 1 }),
    submitParse: async () => ({ parseJobId, adopted: false }),
    pollParse: async () => ({ state: 'pending' }),
    collect: async () => ({ state: 'stored', pages: 2, chunks: 3 }),
    embed: async () => ({ chunks: 3, batches: 1 }),
    recordOutcome: async () => ({}),
    recordCommand: async () => {},
  };
  const chosen = { ...happy, ...stubs };
  return {
    verify: (ref) => noted(calls, 'verify', () => chosen.verify(ref)),
    submitParse: (ref) => noted(calls, 'submitParse', () => chosen.submitParse(ref)),
    pollParse: (ref) => noted(calls, 'pollParse', () => chosen.pollParse(ref)),
    collect: (ref) => noted(calls, 'collect', () => chosen.collect(ref)),
    embed: (ref) => noted(calls, 'embed', () => chosen.embed(ref)),
    recordOutcome: (outcome) =>
      noted(calls, `recordOutcome:${outcome.code}`, () => chosen.recordOutcome(outcome)),
    recordCommand: (command) =>
      noted(calls, `recordCommand:${command.name} by ${command.actor}`, () =>
        chosen.recordCommand(command),
      ),
    eraseDocument: async () => ({ urlsExpireAtMs: 0 }),
  };
}

function noted<Result>(calls: Calls, name: string, work: () => Promise<Result>): Promise<Result> {
  calls.push(name);
  return work();
}

interface Options {
  readonly startStage?: StartStage;
  readonly uploadLifetimeMs?: number;
}

/** Starts a run and a worker for it, hands both to `drive`, and stops the worker whatever comes. */
export async function withIngestRun<Answer>(
  environment: TestWorkflowEnvironment,
  {
    stubs = {},
    calls = [],
    ...options
  }: Options & { readonly stubs?: Stubs; readonly calls?: Calls },
  drive: (run: IngestRun) => Promise<Answer>,
): Promise<Answer> {
  const taskQueue = uniqueTaskQueue();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: { codePath: await workflowBundle() },
    activities: { ...recording(calls, stubs) },
  });
  const documentId = randomUUID() as DocumentId;
  const input: IngestInput = {
    documentId,
    attemptId: randomUUID() as AttemptId,
    startStage: options.startStage ?? 'verify',
    policy: {
      uploadExpiresAtMs:
        (await environment.currentTimeMs()) + (options.uploadLifetimeMs ?? 2 * hour),
      looksAfterMs: [3 * minute, 13 * minute, 38 * minute],
      storagePatienceMs: 7 * 24 * hour,
      parserPatienceMs: 24 * hour,
      embedderPatienceMs: 24 * hour,
      parseDeadlineMs: hour,
      pollFirstMs: 15 * second,
      pollMaxMs: 5 * minute,
    },
  };
  const handle = await environment.client.workflow.start(workflowTypes.ingest, {
    workflowId: ingestWorkflowId(documentId),
    taskQueue,
    args: [input],
  });
  const run: IngestRun = {
    handle,
    input,
    confirm: () => handle.signal(signalNames.confirmUpload),
    webhook: (job = parseJobId) => handle.signal(signalNames.parseEvent, { parseJobId: job }),
    result: () => handle.result(),
    durationMs: async () => {
      const { startTime, closeTime } = await handle.describe();
      return (closeTime?.getTime() ?? Number.NaN) - startTime.getTime();
    },
  };
  return await worker.runUntil(() => drive(run));
}
