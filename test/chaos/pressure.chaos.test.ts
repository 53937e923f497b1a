/** A parser with a limit and an embedder that refuses every third call: documents wait, and none of them fails. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { drillPressure, type PressureReport, pressureSettings } from '../support/pressure-drill.ts';
import { type Stack, startStack } from '../support/stack.ts';

const DOCUMENTS = 30;

let database: TestDatabase;
let stack: Stack;
let report: PressureReport;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: pressureSettings,
  });
  await stack.worker.start();
  report = await drillPressure(stack, DOCUMENTS);
}, 180_000);
afterAll(async () => {
  await stack.close();
  await database.close();
});

test('all documents complete', () => {
  expect(report).toMatchObject({ complete: DOCUMENTS, failed: 0 });
});

test('a refusal is no failure and no attempt', async () => {
  const { rows } = await database.pool.query(
    `select count(*)::int as attempts, count(*) filter (where error_code is not null)::int as failed
     from intake.attempts`,
  );
  expect(rows).toEqual([{ attempts: DOCUMENTS, failed: 0 }]);
});

test('hardly a call is wasted, and no sub-batch is asked for again that was answered', () => {
  expect(report.parserWasted).toBeLessThanOrEqual(report.parserCalls * 0.05);
  expect(report.embedderWasted).toBeLessThanOrEqual(report.embedderCalls * 0.05);
  expect(report.embedderCalls - report.embedderForced).toBe(DOCUMENTS);
});
