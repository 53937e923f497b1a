/** Payload encryption on the real road: nothing readable in Temporal, everything readable to us, keys that change. */
import { randomBytes } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DocumentId, ingestWorkflowId } from '../../src/domain/ids.ts';
import { dataConverterOf } from '../../src/temporal/data-converter.ts';
import { keyIdOf, payloadKey } from '../../src/temporal/payload-codec.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { eventually } from '../support/eventually.ts';
import { declare, type Person, put, type Road, reach, startRoad, upload } from '../support/road.ts';

const newKey = () => randomBytes(32).toString('base64');
const [old, fresh] = [newKey(), newKey()];

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad({
    environment: { PAYLOAD_ENCRYPTION: 'on', PAYLOAD_ENCRYPTION_KEYS: `${old},${fresh}` },
  });
  await road.startWorker();
  me = await road.person();
});
afterAll(() => road.close());

async function historyOf(documentId: DocumentId) {
  return await road.temporal.client.workflow.getHandle(ingestWorkflowId(documentId)).fetchHistory();
}

interface StoredPayload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data?: Uint8Array | null;
}

function isPayload(value: object): value is StoredPayload {
  const { metadata } = value as Partial<StoredPayload>;
  return metadata?.['encoding'] instanceof Uint8Array;
}

/** Every payload of a message but those of search attributes, which are there to be searched. */
function payloadsIn(value: unknown): readonly StoredPayload[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isPayload(value)) return [value];
  return Object.entries(value)
    .filter(([key]) => key !== 'searchAttributes')
    .flatMap(([, part]) => payloadsIn(part));
}

test('whatever a run is given, answers and fails with is encrypted in Temporal', async () => {
  const done = await upload(me, { content: '# Policy\n\nThe copayment is 20 dollars.\n' });
  const failed = await upload(me, {
    content: 'no PDF',
    name: 'policy.pdf',
    type: 'application/pdf',
  });
  await reach(me, done, 'complete');
  await reach(me, failed, 'upload_rejected');
  for (const documentId of [done, failed]) {
    const history = await historyOf(documentId);
    const payloads = payloadsIn(history);
    expect(payloads.length).toBeGreaterThan(5);
    expect(new Set(payloads.map(keyIdOf))).toEqual(new Set([payloadKey(old).id]));
  }
  // The code stays: it is what operators search by.
  const { failure } =
    (await historyOf(failed)).events?.at(-1)?.workflowExecutionFailedEventAttributes ?? {};
  expect(failure).toMatchObject({
    message: 'Encoded failure',
    applicationFailureInfo: { type: 'TYPE_MISMATCH' },
  });
});

test('an encrypted run replays with the keys, and not without', async () => {
  const documentId = await upload(me, { content: '# Policy\n\nThe copayment is 30 dollars.\n' });
  await reach(me, documentId, 'complete');
  const history = await historyOf(documentId);
  const dataConverter = dataConverterOf(road.config);
  const workflowBundleOption = { codePath: await workflowBundle({ dataConverter }) };
  await Worker.runReplayHistory({ workflowBundle: workflowBundleOption, dataConverter }, history);
  const foreign = dataConverterOf({ ...road.config, PAYLOAD_ENCRYPTION_KEYS: newKey() });
  const unread = { workflowBundle: workflowBundleOption, dataConverter: foreign };
  await expect(Worker.runReplayHistory(unread, history)).rejects.toThrow();
});

test('the API finds its own runs: a cancel reads the memo', async () => {
  const { documentId } = await declare(me, { content: '# Policy\n\nIt is not wanted.\n' });
  await me.api.cancel(documentId);
  await reach(me, documentId as DocumentId, 'cancelled');
  const { workflow } = road.shared.temporal.client;
  const handle = workflow.getHandle(ingestWorkflowId(documentId as DocumentId));
  await eventually(async () => expect((await handle.describe()).status.name).toBe('CANCELLED'));
});

test('keys change in the middle of a run', async () => {
  const file = { content: '# Policy\n\nThe key changed meanwhile.\n' };
  const { documentId, uploadUrl } = await declare(me, file);
  await road.stopWorker();
  await road.startWorker({ PAYLOAD_ENCRYPTION_KEYS: `${fresh},${old}` });
  await put(uploadUrl, file);
  await me.api.confirmUpload(documentId);
  await reach(me, documentId as DocumentId, 'complete');
  const keys = payloadsIn(await historyOf(documentId as DocumentId)).map(keyIdOf);
  expect(new Set(keys)).toEqual(new Set([payloadKey(old).id, payloadKey(fresh).id]));
});
