/**
 * Nothing personal leaves its place: words planted in names, texts, tokens and queries are looked for in every
 * payload, id, memo and attribute at Temporal, in every log line at level debug, in the rows of the timeline, in every
 * problem, in the keys of the store and in what the parser is told.
 */
import { randomBytes } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPerson, type Person } from '../support/person.ts';
import { foundIn, payloadSizesIn } from '../support/planted.ts';
import { meetFailures, meetRefusals, type Plant, takeTheRoad } from '../support/planted-road.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE_MS = 240_000;

const word = (kind: string) => `${kind}${randomBytes(6).toString('hex')}`;
const plant: Plant = {
  name: word('name'),
  text: word('text'),
  query: word('query'),
  quoted: word('quoted'),
  address: word('address'),
  mail: `${word('ada')}@example.org`,
};

let database: TestDatabase;
let stack: Stack;
let temporal: Connection;
let planted: Record<string, string>;
/** Ids of documents, by what became of them. */
let documents: Readonly<Record<string, string>>;
let problems: readonly unknown[];
let vendorRecords: readonly string[];
let histories: Readonly<Record<string, Awaited<ReturnType<WorkflowHandle['fetchHistory']>>>>;

beforeAll(async () => {
  database = await createTestDatabase();
  temporal = await Connection.connect({ address: inject('temporalAddress') });
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { LOG_LEVEL: 'debug' },
  });
  await stack.worker.start();
  const me = await personWithMail();
  const went = await takeTheRoad(stack, me, plant);
  vendorRecords = went.vendorRecords;
  documents = { ...went.documents, ...(await meetFailures(stack, me, plant)) };
  problems = await meetRefusals(stack, me, plant);
  planted = { ...plant, ...secrets(), token: me.token.slice(-40), uploadToken: went.uploadToken };
  histories = await fetchHistories();
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await temporal.close();
  await database.close();
});

/** As Supabase signs them: the token names its person. */
async function personWithMail(): Promise<Person> {
  const { ownerId } = await stack.person();
  const { mail: email } = plant;
  const token = await new SignJWT({ role: 'authenticated', email, user_metadata: { email } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(`${stack.environment['SUPABASE_URL']}/auth/v1`)
    .setAudience('authenticated')
    .setSubject(ownerId)
    .setExpirationTime('1 h')
    .sign(new TextEncoder().encode(stack.environment['SUPABASE_JWT_SECRET']));
  return createPerson(stack.url, ownerId, token);
}

function secrets(): Record<string, string> {
  const names = /_KEY$|_SECRET$/;
  const configured = Object.entries(stack.environment).filter(([key]) => names.test(key));
  const { password } = new URL(stack.environment['DATABASE_URL'] ?? '');
  return { ...Object.fromEntries(configured), password };
}

function runOf(workflowId: string): WorkflowHandle {
  return new Client({ connection: temporal }).workflow.getHandle(workflowId);
}

function workflowIds(): readonly string[] {
  const ids = Object.entries(documents).map(([, id]) => `ingest/${id}`);
  return [...ids, `erase/${documents['deleted']}`];
}

async function fetchHistories() {
  const fetched = workflowIds().map(async (id) => [id, await runOf(id).fetchHistory()] as const);
  return Object.fromEntries(await Promise.all(fetched));
}

test('the words were really planted: the database has them where they belong', async () => {
  const { rows } = await database.pool.query(
    `select (select count(*)::int from intake.documents where name like '%' || $1 || '%') as names,
            (select count(*)::int from intake.chunks where text like '%' || $2 || '%') as texts`,
    [plant.name, plant.text],
  );
  expect(rows[0].names).toBeGreaterThan(3);
  expect(rows[0].texts).toBeGreaterThan(1);
});

test('histories: payloads, ids, failures', () => {
  for (const [id, history] of Object.entries(histories)) {
    expect(foundIn({ id, history }, planted), id).toEqual([]);
  }
});

test('runs: memo, search attributes, summary, details', async () => {
  for (const id of workflowIds()) {
    const { raw } = await runOf(id).describe();
    const story = await runOf(id).query('__temporal_workflow_metadata');
    expect(JSON.stringify(story)).toContain('currentDetails');
    expect(foundIn({ raw, story }, planted), id).toEqual([]);
  }
});

test('every line that API and worker log', async () => {
  for (const program of [stack.api, stack.worker]) {
    const lines = await program.output();
    expect(lines.split('\n').length).toBeGreaterThan(10);
    expect(foundIn(lines, planted)).toEqual([]);
  }
});

test('the rows of the timeline, and the keys of the store', async () => {
  const tables = ['attempts', 'events', 'versions', 'objects', 'parse_jobs', 'webhook_deliveries'];
  for (const table of tables) {
    const { rows } = await database.pool.query(`select to_jsonb(t) as row from intake.${table} t`);
    expect(rows.length, table).toBeGreaterThan(0);
    expect(foundIn(rows, planted), table).toEqual([]);
  }
});

test('problems, which say no word of what was sent', () => {
  expect(problems.length).toBeGreaterThan(10);
  for (const problem of problems) expect(foundIn(problem, planted)).toEqual([]);
});

test('the parser is told no name of a file and of no person', () => {
  const { name, mail } = plant;
  expect(foundIn(vendorRecords, { name, mail })).toEqual([]);
});

test('no payload is over 1 KB, and a history with both waits stays small', async () => {
  for (const [id, history] of Object.entries(histories)) {
    expect(Math.max(...payloadSizesIn(history)), id).toBeLessThanOrEqual(1024);
  }
  const id = `ingest/${documents['complete']}`;
  const { historyLength, historySize } = await runOf(id).describe();
  console.info(`a history with both waits: ${historyLength} events, ${historySize} bytes`);
  expect(historyLength).toBeLessThan(60);
  expect(historySize).toBeLessThan(30_000);
});
