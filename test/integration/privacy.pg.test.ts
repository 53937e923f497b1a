/**
 * Nothing personal leaves its place: words planted in names, texts, tokens, headers and queries are looked for in every
 * payload, id, memo and attribute at Temporal, in every log line at level debug, in metrics and traces, in the rows of the
 * timeline, in every problem, in the keys of the store and in what the parser is told.
 */
import { randomBytes } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { metricsAt, sumOf } from '../support/metrics-text.ts';
import { createPerson, type Person } from '../support/person.ts';
import { foundIn, payloadSizesIn } from '../support/planted.ts';
import { meetFailures, meetRefusals, type Plant, takeTheRoad } from '../support/planted-road.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';
import { until } from '../support/until.ts';

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
let collector: TraceCollector;
let planted: Record<string, string>;
/** Ids of documents, by what became of them. */
let documents: Readonly<Record<string, string>>;
let problems: readonly unknown[];
let vendorRecords: readonly string[];
let histories: Readonly<Record<string, Awaited<ReturnType<WorkflowHandle['fetchHistory']>>>>;

beforeAll(async () => {
  database = await createTestDatabase();
  temporal = await Connection.connect({ address: inject('temporalAddress') });
  collector = await startTraceCollector();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: {
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
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
  await collector.close();
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

/** The document with both waits: its attempt's id, under which everything is found. */
async function correlationOf(documentId = ''): Promise<string> {
  const { rows } = await database.pool.query(
    'select correlation_id from intake.attempts where document_id = $1',
    [documentId],
  );
  return rows[0].correlation_id;
}

test('one id from the first request of a document to its last write', async () => {
  const correlationId = await correlationOf(documents['complete']);
  const lines = (await Promise.all([stack.api.output(), stack.worker.output()])).flatMap((output) =>
    output
      .split('\n')
      .filter((line) => line.includes(correlationId))
      .map((line) => JSON.parse(line)),
  );
  const said = lines.map(({ msg, route, activity }) => [msg, route ?? activity].join(' ').trim());
  expect(said).toEqual(
    expect.arrayContaining([
      'request /v1/uploads',
      'request /v1/uploads/:id/confirm',
      'parser event',
      'request /webhooks/llamaparse/:token',
      ...['verify', 'submitParse', 'collect', 'embed'].map(
        (activity) => `activity done ${activity}`,
      ),
    ]),
  );
});

test('one trace from the first request of a document to its chunks, across all processes', async () => {
  const traceId = (await correlationOf(documents['complete'])).replaceAll('-', '');
  const wanted = [
    ...['POST /v1/uploads', 'POST /v1/uploads/:id/confirm', 'POST /webhooks/llamaparse/:token'],
    ...['StartWorkflow:ingestDocument', 'SignalWithStartWorkflow:ingestDocument'],
    ...['SignalWorkflow:parseEvent', 'RunWorkflow:ingestDocument'],
    ...['verify', 'submitParse', 'collect', 'embed'].map((name) => `RunActivity:${name}`),
  ];
  const spans = await until('every span has come', async () => {
    const sofar = collector.trace(traceId);
    const names = new Set(sofar.map(({ name }) => name));
    return wanted.every((name) => names.has(name)) ? sofar : undefined;
  });
  expect([...new Set(spans.map(({ service }) => service))].toSorted()).toEqual([
    'intake-api',
    'intake-worker',
  ]);
  // One first span, and everything else hangs below a span that came as well.
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  expect(roots.map(({ name }) => name)).toEqual(['POST /v1/uploads']);
});

test('traces', () => {
  expect(collector.received().length).toBeGreaterThan(2);
  expect(foundIn(collector.received(), planted)).toEqual([]);
});

test('metrics: whatever API and worker tell their operators', async () => {
  for (const address of Object.values(stack.metricsAddresses)) {
    const text = await metricsAt(address);
    expect(text.split('\n').length).toBeGreaterThan(200);
    expect(foundIn(text, planted)).toEqual([]);
    // Nor a document, an owner or any other id: each would be a series of its own.
    expect(text.replaceAll(stack.taskQueue, '')).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  }
});

test('metrics: they tell what has happened here', async () => {
  const { worker, api } = stack.metricsAddresses;
  const seen = {
    worker: await until('the last end is measured', async () => {
      const text = await metricsAt(worker);
      return Number(sumOf(text, 'intake_attempts_ended_total')) >= 7 ? text : undefined;
    }),
    api: await metricsAt(api),
  };
  const happened = [
    ['worker', 'intake_attempts_ended_total', { status: 'complete' }],
    ['worker', 'intake_processing_duration_seconds_count', { status: 'complete' }],
    ['worker', 'intake_stage_duration_seconds_count', { stage: 'verify' }],
    ['worker', 'intake_stage_tries_total', { stage: 'embed', try: 'retry', outcome: 'success' }],
    ['worker', 'intake_stage_tries_total', { stage: 'verify', outcome: 'awaiting' }],
    ['worker', 'intake_stage_failures_total', { stage: 'embed', code: 'EMBEDDER_UNAVAILABLE' }],
    ['worker', 'intake_file_access_total', { stage: 'verify', outcome: 'success' }],
    ['worker', 'intake_file_access_total', { stage: 'verify', outcome: 'unavailable' }],
    ['worker', 'intake_file_access_total', { stage: 'collect', outcome: 'success' }],
    ['worker', 'intake_races_total', { kind: 'upload_late' }],
    ['worker', 'intake_parse_results_total', { heard_by: 'webhook' }],
    ['worker', 'intake_parse_wait_seconds_sum', {}],
    ['worker', 'intake_pages_total', {}],
    ['worker', 'intake_chunks_total', {}],
    ['worker', 'intake_embedding_tokens_total', {}],
    ['worker', 'temporal_num_pollers', { poller_type: 'workflow_task' }],
    ['worker', 'temporal_num_pollers', { poller_type: 'activity_task' }],
    ['worker', 'temporal_workflow_task_schedule_to_start_latency_seconds_count', {}],
    ['api', 'intake_webhook_events_total', { outcome: 'delivered' }],
    ['api', 'intake_webhook_events_total', { outcome: 'bad_token' }],
    ['api', 'intake_webhook_events_total', { outcome: 'bad_signature' }],
    ['api', 'intake_http_request_duration_seconds_count', { route: '/v1/uploads', status: '201' }],
    ['api', 'intake_task_queue_pollers', { task_type: 'workflow' }],
    ['api', 'intake_task_queue_pollers', { task_type: 'activity' }],
  ] as const;
  const untold = happened.filter(([who, name, labels]) => !sumOf(seen[who], name, labels));
  expect(untold).toEqual([]);
  expect(sumOf(seen.api, 'intake_documents')).toBe(0);
  expect(sumOf(seen.worker, 'intake_circuit_breaker_open')).toBe(0);
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
