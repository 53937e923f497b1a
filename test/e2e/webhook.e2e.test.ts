/** The parser's webhook: whoever is not the parser wakes nothing, and learns nothing but that. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { exchange, type Person, reach, upload } from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { loseWebhook, sendWebhook, untilParsed, webhookSecrets } from '../support/webhook.ts';

let database: TestDatabase;
let stack: Stack;
let me: Person;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    // Nothing but a webhook may end the wait.
    environment: { PARSE_POLL_FIRST_SECONDS: '600' },
  });
  await stack.worker.start();
  me = await stack.person();
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

let documentId: string;
let parseJobId: string;
/** A document that waits for its webhook, which the stand-in has lost. */
beforeEach(async () => {
  await stack.faults.parser.add(loseWebhook);
  documentId = await upload(me, { content: `# Plan\n\nThe ${randomUUID()} plan.\n` });
  parseJobId = await untilParsed(stack, database.pool, documentId);
});

async function deliveries(): Promise<number> {
  const { rows } = await database.pool.query(
    'select from intake.webhook_deliveries where parse_job_id = $1',
    [parseJobId],
  );
  return rows.length;
}

test.each([
  ['with a token that we did not make', { tokenKey: 'another key' }, 404, 'NOT_FOUND'],
  ['with a body that the parser did not sign', { signingSecret: 'other' }, 401, 'UNAUTHENTICATED'],
])('%s: refused; the true one completes the document', async (_what, forgery, status, code) => {
  const secrets = webhookSecrets(stack.environment);
  const forged = await sendWebhook(stack.url, parseJobId, { ...secrets, ...forgery });
  expectProblem(forged, status, code);
  expect(await deliveries()).toBe(0);
  expect((await sendWebhook(stack.url, parseJobId, secrets)).status).toBe(202);
  await reach(me, documentId, 'complete');
  expect(await deliveries()).toBe(1);
});

test('for a job that is none, and with a token of nonsense', async () => {
  const secrets = webhookSecrets(stack.environment);
  expectProblem(await sendWebhook(stack.url, randomUUID(), secrets), 404, 'NOT_FOUND');
  const nonsense = await exchange(`${stack.url}/webhooks/llamaparse/nonsense`, { method: 'POST' });
  expectProblem(nonsense, 404, 'NOT_FOUND');
});
