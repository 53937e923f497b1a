/**
 * Records one real history of every outcome into this folder, after a change of a workflow that is meant to be
 * incompatible: `npm test -- --config test/histories/record.config.ts`. Replay holds every later change against them.
 */
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { endAttempt } from '../../src/db/attempts.ts';
import { holdDocument } from '../../src/db/documents.ts';
import { inTransaction } from '../../src/db/pool.ts';
import { embeddingModelFiles } from '../../src/dev/tools.ts';
import { type DocumentId, eraseWorkflowId, ingestWorkflowId } from '../../src/domain/ids.ts';
import { type ReconcileInput, workflowTypes } from '../../src/domain/run.ts';
import { makeDocument } from '../support/documents.ts';
import { declare, type Person, put, reach, reset, type Road, startRoad, upload } from '../support/road.ts';

const tokenizer = join(tmpdir(), `tokenizer-${process.pid}.json`);
let road: Road;
let me: Person;
beforeAll(async () => {
  await copyFile(embeddingModelFiles().tokenizer, tokenizer);
  road = await startRoad({
    environment: {
      UPLOAD_LIFETIME_SECONDS: '5',
      UPLOAD_START_DELAY_SECONDS: '1',
      ERASE_SECOND_SWEEP_SECONDS: '1',
      PARSE_POLL_FIRST_SECONDS: '1',
      PARSE_DEADLINE_SECONDS: '10',
      STORAGE_PATIENCE_SECONDS: '15',
      EMBEDDINGS_TOKENIZER: tokenizer,
    },
    uploadUrlLifetimeSeconds: 3,
  });
  me = await road.person();
  await road.startWorker();
});
afterEach(() => Promise.all(Object.values(road.faults).map((faults) => faults.clear())));
afterAll(async () => {
  await road.close();
  await rm(tokenizer);
});

async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  const handle = road.temporal.client.workflow.getHandle(workflowId, runId);
  await vi.waitFor(async () => expect((await handle.describe()).status.name).not.toBe('RUNNING'), 30_000);
  const history = await handle.fetchHistory();
  await writeFile(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`);
}

/** Whichever verify calls first. */
const outOfOrder = ['object.info', 'object.copy'].map((operation) => ({
  operation,
  effect: { kind: 'answer', status: 503 } as const,
}));

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

test('complete: confirmed before the bytes were there', async () => {
  const file = policy('late');
  const declared = await declare(me, file);
  await me.api.confirmUpload(declared.documentId);
  await vi.waitFor(async () => expect((await me.api.document(declared.documentId)).waiting?.code).toBe('STORAGE_OBJECT_ABSENT'), 30_000);
  await put(declared.uploadUrl, file);
  await me.api.confirmUpload(declared.documentId);
  await reach(me, declared.documentId as DocumentId, 'complete');
  await save('complete-after-late-bytes', ingest(declared.documentId));
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
  await road.faults.storage.add(...outOfOrder.map((rule) => ({ ...rule, times: 2 })));
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

test('the result is lost at the vendor, and asked for once more', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'named', name: 'expire' } });
  const documentId = await upload(me, policy('lost'));
  await reach(me, documentId, 'complete');
  await save('complete-after-lost-result', ingest(documentId));
});

test('failed_parse: the parser never ends', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'hang' } });
  const documentId = await upload(me, policy('endless'));
  await reach(me, documentId, 'failed_parse');
  await save('failed-parse-timeout', ingest(documentId));
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

test('deleted while it waits for the parser', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
  const documentId = await upload(me, policy('deleted while parsing'));
  await reach(me, documentId, 'parse_queued');
  await me.api.delete(documentId);
  await save('deleted-while-parsing', ingest(documentId));
});

test('superseded: the row was ended and tried again before the run had noticed', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
  const documentId = await upload(me, policy('superseded'));
  await reach(me, documentId, 'parse_queued');
  const { runId } = await road.temporal.client.workflow.getHandle(ingest(documentId)).describe();
  await inTransaction(road.database.pool, async (transaction) => {
    const held = await holdDocument(transaction, me.ownerId, documentId);
    const failedStage = 'collect';
    if (held) await endAttempt(transaction, held.attemptId, { status: 'failed_parse', code: 'PARSE_TIMEOUT', failedStage });
  });
  await me.api.retry(documentId);
  await save('superseded', ingest(documentId), runId);
  await reach(me, documentId, 'complete');
  await save('complete-from-parse', ingest(documentId));
});

test('a reset in Temporal, and the new run completes', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 2_000 } });
  const documentId = await upload(me, policy('reset'));
  await reach(me, documentId, 'parse_queued');
  await reset(road, documentId);
  await reach(me, documentId, 'complete');
  await save('complete-after-reset', ingest(documentId));
});

test('an operator polls, extends and fails it', async () => {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'hang' } });
  const documentId = await upload(me, policy('operated'));
  await reach(me, documentId, 'parse_queued');
  const { api } = await road.person('operator');
  const actor = 'ada';
  await vi.waitFor(async () => expect((await api.operator.poll(documentId, { actor })).parser).toBe('pending'), 30_000);
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await api.operator.extend(documentId, { actor, until });
  await api.operator.fail(documentId, { actor, reason: 'The parser has lost it.' });
  await save('failed-by-operator', ingest(documentId));
});

test('an operator fails it in its start delay', async () => {
  const { documentId } = await declare(me, policy('operated before bytes'));
  const { api } = await road.person('operator');
  await api.operator.fail(documentId, { actor: 'ada', reason: 'Nobody will send it.' });
  await save('failed-by-operator-in-the-row', ingest(documentId));
});

test('deleted, and erased', async () => {
  const documentId = await upload(me, policy('deleted'));
  await reach(me, documentId, 'complete');
  await me.api.delete(documentId);
  await save('erased', eraseWorkflowId(documentId));
});

test('reconciled: two pages of one pass, a finding healed, and a pass that its party broke off', async () => {
  const { pool } = road.database;
  for (let n = 0; n < 60; n += 1) await makeDocument(pool, { content: `stored ${n}`, status: 'uploaded' });
  const { documentId } = await declare(me, policy('lost'));
  await road.temporal.client.workflow.getHandle(ingest(documentId)).terminate();
  await pool.query('alter table intake.attempts disable trigger guard_status_move');
  await pool.query(`update intake.attempts set updated_at = now() - interval '1 hour' where document_id = $1`, [documentId]);
  await pool.query('alter table intake.attempts enable trigger guard_status_move');
  await road.faults.parser.add({ operation: 'parse.list', times: 'always', effect: { kind: 'answer', status: 401, body: '{}' } });
  const input: ReconcileInput = { passes: ['objects', 'vendorJobs', 'attempts'] };
  const workflowId = 'reconcile/recorded';
  const options = { workflowId, taskQueue: road.config.TASK_QUEUE, args: [input] };
  const result = await road.temporal.client.workflow.execute(workflowTypes.reconcile, options);
  expect(result).toMatchObject({ brokenOff: ['vendorJobs'] });
  await save('reconciled', workflowId);
});

// Last, since what follows is for a worker that has lost its tokenizer and whose breaker is open.
test('failed_chunking', async () => {
  await road.stopWorker();
  await road.startWorker();
  const documentId = await upload(me, policy('unchunked'));
  await writeFile(tokenizer, '{}');
  await reach(me, documentId, 'failed_chunking');
  await save('failed-chunking', ingest(documentId));
});

test('failed_storage', async () => {
  const file = policy('unread');
  const declared = await declare(me, file);
  await put(declared.uploadUrl, file);
  await road.faults.storage.add(...outOfOrder.map((rule) => ({ ...rule, times: 'always' as const })));
  await me.api.confirmUpload(declared.documentId);
  await reach(me, declared.documentId as DocumentId, 'failed_storage');
  await save('failed-storage', ingest(declared.documentId));
});
