/** kill -9 of the worker: what waited waits on, what was under way is done again, and nothing is paid for twice. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type DrillReport, drillWorkerKill } from '../support/kill-drill.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE_MS = 180_000;

let database: TestDatabase;
let stack: Stack;
let report: DrillReport;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    // Only the webhook may wake the wait, and only the owner the other one.
    environment: { PARSE_POLL_FIRST_SECONDS: '600' },
  });
  await stack.worker.start();
  report = await drillWorkerKill(stack, database.pool);
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await database.close();
});

test('every document completes, in the one attempt it had and without a step back', () => {
  for (const { point, end } of report.documents) {
    expect(end, point).toMatchObject({ status: 'complete', attempts: [{ number: 1 }] });
    const line = end.timeline.filter(({ kind }) => kind === 'status').map(({ status }) => status);
    expect(line, point).toEqual([
      'awaiting_upload',
      'uploaded',
      'parse_queued',
      'parsed',
      'parse_validated',
      'chunking',
      'chunks_stored',
      'embedding_queued',
      'embedding_in_progress',
      'embeddings_stored',
      'complete',
    ]);
  }
});

test('the timeline tells of the lost worker where one had work in hand, and only there', () => {
  const told = report.documents.map(({ point, end }) => {
    return [point, end.timeline.filter(({ code }) => code === 'WORKER_LOST').length];
  });
  expect(Object.fromEntries(told)).toEqual({
    'waits for bytes': 0,
    'waits for the webhook': 0,
    'hangs in the submit': 1,
    'submitted, answer not heard': 1,
    embeds: 1,
  });
});

test('each was paid for once at the parser, the one whose answer was lost included', async () => {
  const { counts } = await stack.faults.parser.ledger();
  expect(counts['parse.paid']).toBe(report.documents.length);
  expect(counts['parse.create']).toBe(report.documents.length);
});

test('no finished sub-batch was asked for again', () => {
  expect(report.paidTwice).toEqual([]);
});

test('each has one set of chunks, and a vector for every one of them', async () => {
  const { rows } = await database.pool.query(
    `select d.id as "documentId", count(distinct c.generation_id)::int as generations,
            count(c.id)::int as chunks, count(v.chunk_id)::int as vectors
     from intake.documents d join intake.chunks c on c.document_id = d.id
     left join intake.vectors_384 v on v.chunk_id = c.id group by d.id`,
  );
  for (const { documentId, end } of report.documents) {
    const { chunks } = end;
    expect(rows).toContainEqual({ documentId, generations: 1, chunks, vectors: chunks });
  }
});

test('nothing of a document stays in the temporary files of the killed one', async () => {
  await expect.poll(() => readdir(stack.temporaryFolder)).toEqual([]);
});

test('how soon the work went on', () => {
  const lines = report.documents.map(
    ({ point, workAgainMs }) => `  ${point}: ${workAgainMs} ms after the start of the new worker`,
  );
  console.info([`kill -9: ready after ${report.readyMs} ms`, ...lines].join('\n'));
  for (const { point, workAgainMs } of report.documents) {
    expect(workAgainMs, point).toBeGreaterThan(0);
  }
});
