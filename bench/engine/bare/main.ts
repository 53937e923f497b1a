/**
 * The bare engine in one process: a worker made as Intake's is, with activities that do nothing, and the three calls
 * that Intake's API makes to Temporal for a document: delayed start, confirm, the parser's signal.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Runtime } from '@temporalio/worker';
import type { EraseActivities, IngestActivities } from '../../../activities/contract.ts';
import type { ParseJobId } from '../../../src/domain/ids.ts';
import { signalNames } from '../../../src/domain/run.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { temporalLogger } from '../../../src/observability/temporal-logger.ts';
import { searchAttributes } from '../../../src/temporal/search-attributes.ts';
import { createWorker } from '../../../src/worker/create-worker.ts';
import { BARE_WORKFLOW, type BareCommand, type BareInput, type BareSettings } from './contract.ts';

const settings: BareSettings = JSON.parse(process.env['BARE_SETTINGS'] ?? '');
const { temporalAddress: address, taskQueue, dressed } = settings;
Runtime.install({ logger: temporalLogger(createLogger('bare', 'warn')), shutdownSignals: [] });
const client = new Client({ connection: await Connection.connect({ address }) });
const connection = await NativeConnection.connect({ address });
const folder = await mkdtemp(join(tmpdir(), 'intake-bare-'));
const worker = await createWorker({
  connection,
  namespace: 'default',
  taskQueue,
  workflowBundlePath: await writeBundle(),
  activities: emptyActivities(),
});
const running = worker.run();
process.on('message', (command: BareCommand) => void answer(command));
process.once('disconnect', () => worker.shutdown());
process.send?.({ id: 0 });
await running;
await connection.close();
await rm(folder, { recursive: true });

async function writeBundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, 'workflow.ts'),
    logger: temporalLogger(createLogger('bare', 'warn')),
  });
  const path = join(folder, 'bundle.js');
  await writeFile(path, code);
  return path;
}

function emptyActivities(): IngestActivities & EraseActivities {
  return {
    verify: async () => ({ sizeBytes: 1 }),
    submitParse: async ({ documentId }) => {
      const parseJobId = randomUUID() as ParseJobId;
      const signal = () =>
        client.workflow.getHandle(`bare/${documentId}`).signal(signalNames.parseEvent);
      setTimeout(() => void signal(), settings.parserDelayMs);
      return { parseJobId, adopted: false };
    },
    pollParse: async () => ({ state: 'pending' }),
    collect: async () => ({ state: 'stored', pages: 1, chunks: 1 }),
    embed: async () => ({ chunks: 1, batches: 1 }),
    recordOutcome: async () => undefined,
    eraseDocument: async () => ({ urlsExpireAtMs: 0 }),
  };
}

async function answer({ id, command, workflowId }: BareCommand): Promise<void> {
  try {
    await (command === 'start' ? start(workflowId) : confirm(workflowId));
    process.send?.({ id });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
}

function start(workflowId: string): Promise<unknown> {
  return client.workflow.start(BARE_WORKFLOW, {
    ...startOptions(workflowId),
    startDelay: '1 hour',
  });
}

function confirm(workflowId: string): Promise<unknown> {
  return client.workflow.signalWithStart(BARE_WORKFLOW, {
    ...startOptions(workflowId),
    signal: signalNames.confirmUpload,
  });
}

function startOptions(workflowId: string) {
  const documentId = workflowId.slice('bare/'.length);
  const input: BareInput = { documentId, dressed };
  const dress = {
    memo: { attemptId: documentId },
    staticSummary: 'attempt 1, from verify',
    staticDetails: 'Until its first task this run waits for the upload.',
    typedSearchAttributes: [
      { key: searchAttributes.documentStatus, value: 'awaiting_upload' },
      { key: searchAttributes.tenantId, value: documentId },
    ],
    priority: { priorityKey: 2, fairnessKey: documentId },
  };
  return { workflowId, taskQueue, args: [input], ...(dressed ? dress : {}) };
}
