/** Operators at work on real parts: what an update reaches, what it must not be sent to, and what the row does then. */
import { readFile } from 'node:fs/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DocumentDetail } from '../../src/cli/api-client.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import { type DocumentId, ingestWorkflowId } from '../../src/domain/ids.ts';
import { declare, type Person, put, type Road, reach, startRoad, upload } from '../support/road.ts';

let road: Road;
let me: Person;
let operator: Person;
beforeAll(async () => {
  road = await startRoad({
    environment: {
      TEMPORAL_UI_URL: 'http://ui.test',
      PUBLIC_URL: 'http://localhost:9',
      STORAGE_PATIENCE_SECONDS: '6',
      STORAGE_BREAKER_SECONDS: '1',
    },
  });
  me = await road.person();
  operator = await road.person('operator');
  await road.startWorker();
});
afterEach(async () => {
  await Promise.all(Object.values(road.faults).map((faults) => faults.clear()));
});
afterAll(() => road.close());

let made = 0;
function policy() {
  made += 1;
  return { content: `# Policy ${made}\n\nThe operators watch over policy ${made}.\n` };
}

const actor = 'ada';
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const runOf = (documentId: string) =>
  road.temporal.client.workflow.getHandle(ingestWorkflowId(documentId as DocumentId));
const commands = ({ timeline }: DocumentDetail) =>
  timeline
    .filter(({ kind }) => kind === 'command')
    .map(({ command, actor: by, selfDeclared, reason }) => ({ command, by, selfDeclared, reason }));

/** Its parser does not come to an end. */
async function withTheParser(): Promise<DocumentId> {
  await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'hang' } });
  const documentId = await upload(me, policy());
  await reach(me, documentId, 'parse_queued');
  await vi.waitFor(
    async () => expect((await operator.api.explain(documentId)).words).toMatch(/^Waiting for/),
    30_000,
  );
  return documentId;
}

/** Code and detail. */
async function refusal(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof IntakeError)) throw new Error(`not refused: ${String(error)}`);
  return `${error.code}: ${error.detail}`;
}

async function lastWords(documentId: DocumentId) {
  const error = await runOf(documentId)
    .result()
    .catch((thrown: unknown) => thrown);
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure
    ? { code: cause.type, words: cause.details?.[0] }
    : undefined;
}

describe('a document with the parser', () => {
  test('is explained, polled, given time and failed; the timeline has it all', async () => {
    const documentId = await withTheParser();
    expect(await operator.api.explain(documentId)).toMatchObject({
      status: 'parse_queued',
      stage: 'collect',
      attempt: 1,
      turn: 'provider',
      line: { ahead: 0, total: 1 },
      buttons: ['poll', 'extend', 'fail', 'cancel'],
      nextTryAt: expect.any(String),
      deadlineAt: expect.any(String),
      run: { state: 'open', workerAnswers: true, url: expect.stringContaining('http://ui.test/') },
    });
    expect(await operator.api.operator.poll(documentId, { actor })).toMatchObject({
      parser: 'pending',
      answer: 'The parser is still at work.',
    });
    const until = inHours(3);
    await operator.api.operator.extend(documentId, { actor, until });
    expect((await operator.api.explain(documentId)).deadlineAt).toBe(until);
    const reason = 'The parser has lost it.';
    expect(await operator.api.operator.fail(documentId, { actor, reason })).toMatchObject({
      status: 'failed_parse',
      answer: 'Failed, as you asked.',
    });
    const detail = await me.api.document(documentId);
    expect(detail).toMatchObject({ status: 'failed_parse', error: { code: 'FAILED_BY_OPERATOR' } });
    const by = { by: actor, selfDeclared: true };
    expect(commands(detail)).toEqual([
      { command: 'poll', ...by },
      { command: 'extend', ...by },
      { command: 'fail', ...by, reason },
    ]);
    expect(await lastWords(documentId)).toEqual({
      code: 'FAILED_BY_OPERATOR',
      words: { stage: 'collect', actor, reason },
    });
    const { rows } = await road.database.pool.query(
      'select state from intake.parse_jobs where document_id = $1',
      [documentId],
    );
    expect(rows, 'nothing is left running at the vendor').toEqual([{ state: 'cancelled' }]);
    expect(await refusal(operator.api.operator.poll(documentId, { actor }))).toMatch(
      /^NOT_POSSIBLE_NOW: its run is closed \(failed_parse\); `intake retry`/,
    );
    await road.faults.parser.clear();
    await operator.api.operator.retry(documentId, { actor });
    const complete = await reach(me, documentId, 'complete');
    expect(await refusal(operator.api.operator.poll(documentId, { actor }))).toBe(
      'NOT_POSSIBLE_NOW: its run is closed (complete)',
    );
    expect(commands(complete).at(-1)).toEqual({
      command: 'retry',
      ...by,
    });
  });

  test('is refused in the words of the run', async () => {
    const documentId = await withTheParser();
    expect(
      await refusal(operator.api.operator.extend(documentId, { actor, until: inHours(0.5) })),
    ).toMatch(/^INVALID_REQUEST: until: the deadline is .* already/);
    await operator.api.operator.cancel(documentId, { actor });
    const detail = await me.api.document(documentId);
    expect(commands(detail)).toEqual([{ command: 'cancel', by: actor, selfDeclared: true }]);
    await vi.waitFor(
      async () => expect((await runOf(documentId).describe()).status.name).toBe('CANCELLED'),
      30_000,
    );
  });

  test('a closed run whose row goes on: failed by the row', async () => {
    const documentId = await withTheParser();
    await runOf(documentId).terminate('by hand');
    expect(await refusal(operator.api.operator.poll(documentId, { actor }))).toMatch(
      /^NOT_POSSIBLE_NOW: its run is closed without having ended the row/,
    );
    const reason = 'Its run is gone.';
    expect(await operator.api.operator.fail(documentId, { actor, reason })).toMatchObject({
      status: 'failed_parse',
    });
    expect(commands(await me.api.document(documentId))).toEqual([
      { command: 'fail', by: actor, selfDeclared: true, reason },
    ]);
  });
});

describe('a run in the UI', () => {
  test('leads to its document, and every activity and timer has a summary', async () => {
    const documentId = await withTheParser();
    await me.api.cancel(documentId);
    const details = await (await runOf(documentId).describe()).staticDetails();
    expect(details).toContain(`http://localhost:9/v1/documents/${documentId}`);
    const { links } = await me.api.document(documentId);
    expect(links.temporalRun).toContain(encodeURIComponent(`ingest/${documentId}`));
    const { events } = await runOf(documentId).fetchHistory();
    const steps = events?.filter(
      (event) => event.timerStartedEventAttributes ?? event.activityTaskScheduledEventAttributes,
    );
    expect(steps?.length).toBeGreaterThan(2);
    expect(steps?.filter(({ userMetadata }) => !userMetadata?.summary)).toEqual([]);
  });
});

describe('a run in its start delay', () => {
  const isDelayed = async (documentId: string) => {
    const { events } = await runOf(documentId).fetchHistory();
    return !events?.some(({ workflowTaskScheduledEventAttributes: task }) => task);
  };

  test('is explained and given time without being woken, and knows it when it wakes', async () => {
    const file = policy();
    const declared = await declare(me, file);
    const documentId = declared.documentId as DocumentId;
    expect(await operator.api.explain(documentId)).toMatchObject({
      buttons: ['upload', 'extend', 'cancel', 'fail'],
      turn: 'user',
      run: { state: 'delayed' },
    });
    expect(await refusal(operator.api.operator.poll(documentId, { actor }))).toMatch(
      /^NOT_POSSIBLE_NOW: it waits for its upload/,
    );
    const until = inHours(5);
    expect(await operator.api.operator.extend(documentId, { actor, until })).toMatchObject({
      deadline: until,
    });
    expect(
      await refusal(operator.api.operator.extend(documentId, { actor, until: inHours(1) })),
    ).toMatch(/^INVALID_REQUEST: until: the deadline is .* already/);
    expect((await operator.api.explain(documentId)).deadlineAt).toBe(until);
    expect(await isDelayed(documentId)).toBe(true);
    // As when reconciliation has started another run for an attempt that was looked for before.
    const looked = 'update intake.attempts set looks = 1 where document_id = $1';
    await road.database.pool.query(looked, [documentId]);
    expect(await refusal(operator.api.operator.poll(documentId, { actor }))).toMatch(
      /^NOT_POSSIBLE_NOW: it waits for its upload/,
    );
    expect((await operator.api.explain(documentId)).run).toMatchObject({ state: 'delayed' });
    expect(await isDelayed(documentId)).toBe(true);
    await me.api.confirmUpload(documentId);
    await vi.waitFor(
      async () =>
        expect(await operator.api.explain(documentId)).toMatchObject({
          words: expect.stringContaining('bytes'),
          deadlineAt: until,
          run: { state: 'open', workerAnswers: true },
        }),
      30_000,
    );
    await put(declared.uploadUrl, file);
    await me.api.confirmUpload(documentId);
    await reach(me, documentId, 'complete');
  });

  test('is failed by the row, and closes as failed with the operator’s words', async () => {
    const { documentId } = await declare(me, policy());
    await vi.waitFor(async () => expect(await isDelayed(documentId)).toBe(true));
    const reason = 'Nobody will send this.';
    expect(await operator.api.operator.fail(documentId, { actor, reason })).toMatchObject({
      status: 'failed_storage',
    });
    expect(await lastWords(documentId as DocumentId)).toEqual({
      code: 'FAILED_BY_OPERATOR',
      words: { stage: 'verify', actor, reason },
    });
    const detail = await me.api.document(documentId);
    expect(commands(detail)).toEqual([{ command: 'fail', by: actor, selfDeclared: true, reason }]);
    expect(detail.timeline.filter(({ status }) => status === 'cancelled')).toEqual([]);
  });
});

describe('who may', () => {
  test('an owner commands nobody as an operator, and sees nobody else’s document', async () => {
    const documentId = await withTheParser();
    const stranger = await road.person();
    for (const person of [me, stranger]) {
      const { operator: desk } = person.api;
      for (const asked of [
        () => desk.poll(documentId, { actor }),
        () => desk.extend(documentId, { actor, until: inHours(9) }),
        () => desk.fail(documentId, { actor, reason: 'not mine' }),
        () => desk.cancel(documentId, { actor }),
        () => desk.onTheRoad({}),
        () => desk.findByRuns({ query: 'x' }),
      ]) {
        expect(await refusal(asked())).toMatch(/^OPERATORS_ONLY/);
      }
    }
    expect(await refusal(stranger.api.explain(documentId))).toMatch(/^NOT_FOUND/);
    expect(await me.api.explain(documentId)).toMatchObject({ status: 'parse_queued' });
    expect(commands(await me.api.document(documentId))).toEqual([]);
    expect(await refusal(operator.api.document(documentId)), 'nor does an operator').toMatch(
      /^NOT_FOUND/,
    );
    const { documents } = await operator.api.operator.onTheRoad({});
    expect(documents.map((each) => each.documentId)).toContain(documentId);
    await me.api.cancel(documentId);
  });
});

describe('redrive', () => {
  test('a query over runs finds what failed by its cause; a retry takes it out', async () => {
    await road.faults.storage.add(
      ...['object.info', 'object.copy'].map((operation) => ({
        operation,
        times: 'always' as const,
        effect: { kind: 'answer', status: 403 } as const,
      })),
    );
    const file = policy();
    const { documentId, uploadUrl } = await declare(me, file);
    await put(uploadUrl, file);
    await me.api.confirmUpload(documentId);
    const failed = await reach(me, documentId as DocumentId, 'failed_storage');
    expect(failed.error?.code).toBe('STORAGE_OUT_OF_PATIENCE');
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const query = `FailureKind = 'STORAGE_FORBIDDEN' AND CloseTime > '${since}'`;
    const found = () => operator.api.operator.findByRuns({ query });
    await vi.waitFor(
      async () => expect((await found()).documents).toMatchObject([{ documentId, mayRetry: true }]),
      30_000,
    );
    await road.faults.storage.clear();
    await operator.api.operator.retry(documentId, { actor });
    expect((await found()).documents).toEqual([]);
    await reach(me, documentId as DocumentId, 'complete');
  });

  test('a query that Temporal does not understand is told back; brackets open no other queue', async () => {
    expect(await refusal(operator.api.operator.findByRuns({ query: 'Nonsense = ' }))).toMatch(
      /^INVALID_REQUEST: query: /,
    );
    const query = "ExecutionStatus = 'Running') OR (WorkflowType = 'other'";
    const { documents } = await operator.api.operator.findByRuns({ query });
    const { rows } = await road.database.pool.query('select id from intake.documents');
    const ours = rows.map(({ id }) => id);
    expect(documents.every(({ documentId }) => ours.includes(documentId))).toBe(true);
  });
});

/** Every query that stands in the guide, as its readers will copy it. */
async function queriesOfTheGuide(): Promise<readonly string[]> {
  const guide = await readFile(new URL('../../docs/operators.md', import.meta.url), 'utf8');
  return [...guide.matchAll(/```sql\n([^`]+)```/g)].map(([, query = '']) => query.trim());
}

describe('the guide', () => {
  test('has queries that the server understands', async () => {
    const queries = await queriesOfTheGuide();
    expect(queries.length).toBeGreaterThan(7);
    for (const query of queries) {
      await expect(road.temporal.client.workflow.count(query), query).resolves.toBeDefined();
    }
  });

  test('finds what waits for the parser, and one tenant’s documents, and nothing else', async () => {
    const documentId = await withTheParser();
    const inAMinute = new Date(Date.now() + 60_000).toISOString();
    const [waiting = '', tenant = ''] = (await queriesOfTheGuide()).map((query) =>
      query
        .replace(/StartTime < '[^']+'/, `StartTime < '${inAMinute}'`)
        .replace(/TenantId = '[^']+'/, `TenantId = '${me.ownerId}'`),
    );
    await vi.waitFor(async () => {
      const { documents } = await operator.api.operator.findByRuns({ query: waiting });
      expect(documents).toMatchObject([{ documentId, status: 'parse_queued' }]);
    }, 30_000);
    const { documents } = await operator.api.operator.findByRuns({ query: tenant });
    expect(documents.length).toBeGreaterThan(1);
    expect(new Set(documents.map(({ ownerId }) => ownerId))).toEqual(new Set([me.ownerId]));
    await me.api.cancel(documentId);
  });
});

test('when no worker answers, the explanation says so', async () => {
  const documentId = await withTheParser();
  await road.stopWorker();
  const { run, status } = await operator.api.explain(documentId);
  expect({ run, status }).toMatchObject({
    status: 'parse_queued',
    run: { state: 'open', workerAnswers: false },
  });
  await road.startWorker();
  await me.api.cancel(documentId);
});
