/**
 * Records one real history of every outcome into this folder, after a change of a workflow that is meant to be
 * incompatible: `npm test -- --config test/histories/record.config.ts`. Replay holds every later change against them.
 */
import { writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type DocumentId, eraseWorkflowId, ingestWorkflowId } from '../../src/domain/ids.ts';
import { declare, type Person, put, reach, type Road, startRoad, upload } from '../support/road.ts';

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad({
    environment: {
      UPLOAD_LIFETIME_SECONDS: '5',
      UPLOAD_START_DELAY_SECONDS: '1',
      ERASE_SECOND_SWEEP_SECONDS: '1',
      PARSE_POLL_FIRST_SECONDS: '1',
    },
    uploadUrlLifetimeSeconds: 3,
  });
  me = await road.person();
  await road.startWorker();
});
afterAll(() => road.close());

async function save(name: string, workflowId: string): Promise<void> {
  const handle = road.temporal.client.workflow.getHandle(workflowId);
  await vi.waitFor(async () => expect((await handle.describe()).status.name).not.toBe('RUNNING'), 30_000);
  const history = await handle.fetchHistory();
  await writeFile(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`);
}

const policy = (name: string) => ({ content: `# ${name}\n\nThe ${name} plan covers this.\n` });
const ingest = (documentId: string) => ingestWorkflowId(documentId as DocumentId);

test('complete: both waits, the webhook wakes', async () => {
  const documentId = await upload(me, policy('complete'));
  await reach(me, documentId, 'complete');
  await save('complete', ingest(documentId));
});

test('complete: nobody confirms, the webhook is lost', async () => {
  await road.faults.parser.add({ operation: 'webhook.deliver', times: 'always', effect: { kind: 'named', name: 'lose' } });
  const file = policy('polled');
  const declared = await declare(me, file);
  await put(declared.uploadUrl, file);
  await reach(me, declared.documentId as DocumentId, 'complete');
  await road.faults.parser.clear();
  await save('complete-unconfirmed-polled', ingest(declared.documentId));
});

test('upload_expired', async () => {
  const { documentId } = await declare(me, policy('expired'));
  await reach(me, documentId as DocumentId, 'upload_expired');
  await save('upload-expired', ingest(documentId));
});

test('upload_rejected', async () => {
  const declared = await declare(me, policy('rejected'));
  await put(declared.uploadUrl, { content: 'something else' });
  await me.api.confirmUpload(declared.documentId);
  await reach(me, declared.documentId as DocumentId, 'upload_rejected');
  await save('upload-rejected', ingest(declared.documentId));
});

test('storage out of order, then complete', async () => {
  const file = policy('storage');
  const declared = await declare(me, file);
  await put(declared.uploadUrl, file);
  await road.faults.storage.add({ operation: 'object.copy', times: 2, effect: { kind: 'answer', status: 503 } });
  await me.api.confirmUpload(declared.documentId);
  await reach(me, declared.documentId as DocumentId, 'complete');
  await save('complete-after-storage-trouble', ingest(declared.documentId));
});

test('failed_parse', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'named', name: 'fail-without-words' } });
  const documentId = await upload(me, policy('unparsed'));
  await reach(me, documentId, 'failed_parse');
  await save('failed-parse', ingest(documentId));
});

test('failed_embedding, and the retry from there', async () => {
  await road.faults.embedding.add({ operation: 'embeddings.create', effect: { kind: 'answer', status: 400, body: '{}' } });
  const documentId = await upload(me, policy('unembedded'));
  await reach(me, documentId, 'failed_embedding');
  await save('failed-embedding', ingest(documentId));
  await me.api.retry(documentId);
  await reach(me, documentId, 'complete');
  await save('complete-from-embed', ingest(documentId));
});

test('cancelled while it embeds, and the retry from the stored Markdown', async () => {
  await road.faults.embedding.add({ operation: 'embeddings.create', effect: { kind: 'delay', ms: 3_000 } });
  const documentId = await upload(me, policy('collected'));
  await reach(me, documentId, 'embedding_in_progress');
  await me.api.cancel(documentId);
  await save('cancelled-while-embedding', ingest(documentId));
  await me.api.retry(documentId);
  await reach(me, documentId, 'complete');
  await save('complete-from-collect', ingest(documentId));
});

test('cancelled while it waits for the bytes, and while it waits for the parser', async () => {
  const { documentId: waiting } = await declare(me, policy('cancelled'));
  await me.api.confirmUpload(waiting);
  await me.api.cancel(waiting);
  await save('cancelled-before-bytes', ingest(waiting));
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
  const parsing = await upload(me, policy('cancelled while parsing'));
  await reach(me, parsing, 'parse_queued');
  await me.api.cancel(parsing);
  await save('cancelled-while-parsing', ingest(parsing));
});

test('deleted, and erased', async () => {
  const documentId = await upload(me, policy('deleted'));
  await reach(me, documentId, 'complete');
  await me.api.delete(documentId);
  await save('erased', eraseWorkflowId(documentId));
});
