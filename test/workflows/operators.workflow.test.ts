/** What operators ask of a run: what it answers, what it refuses, and that a refusal leaves no trace. */
import {
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type OperatorAnswer,
  queryNames,
  type Standing,
  updateNames,
} from '../../src/domain/operators.ts';
import { signalNames } from '../../src/domain/run.ts';
import { startTimeSkipping } from '../support/temporal.ts';
import { type Calls, failure, type IngestRun, withIngestRun } from '../support/workflow-run.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const hour = 3_600_000;
const actor = 'ada';
const inHours = async (hours: number) =>
  new Date((await environment.currentTimeMs()) + hours * hour).toISOString();

function ask({ handle }: IngestRun, name: keyof typeof updateNames, argument: unknown) {
  return handle.executeUpdate<OperatorAnswer, [unknown]>(updateNames[name], { args: [argument] });
}

/** Code and words of a refusal. */
async function refusal(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) throw new Error(`not refused: ${String(error)}`);
  return `${cause.type}: ${cause.message}`;
}

/** Of a run that has failed: code and last words. */
async function lastWords(run: IngestRun): Promise<{ code: string; words: unknown }> {
  const error = await run.result().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  if (cause instanceof CancelledFailure) return { code: 'canceled', words: undefined };
  if (!(cause instanceof ApplicationFailure)) throw new Error('the run did not fail');
  return { code: cause.type ?? '', words: cause.details?.[0] };
}

const standing = (run: IngestRun) => run.handle.query<Standing>(queryNames.explain);
const atScene = (run: IngestRun, words: RegExp) =>
  vi.waitFor(async () => expect((await standing(run)).words).toMatch(words), 30_000);
const updatesIn = async (handle: WorkflowHandle) =>
  (await handle.fetchHistory()).events?.filter(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
  ).length;

describe('poll the parser now', () => {
  test('an ended job is collected at once, long before the next poll', async () => {
    const calls: Calls = [];
    const stubs = { pollParse: async () => ({ state: 'ended' }) as const };
    await withIngestRun(environment, { calls, stubs }, async (run) => {
      await atScene(run, /Waiting for the parser/);
      expect(await ask(run, 'poll', { actor })).toMatchObject({ parser: 'ended' });
      await run.result();
      expect(await run.durationMs()).toBeLessThan(15_000);
    });
    expect(calls).toEqual([
      'verify',
      'submitParse',
      'recordCommand:poll by ada',
      'pollParse',
      'collect',
      'embed',
    ]);
  });

  test('a job under way is said to be, and the wait goes on', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls }, async (run) => {
      await atScene(run, /Waiting for the parser/);
      expect(await ask(run, 'poll', { actor })).toEqual({
        parser: 'pending',
        answer: 'The parser is still at work.',
      });
      await run.webhook();
      await run.result();
    });
    expect(calls).toEqual(expect.arrayContaining(['recordCommand:poll by ada', 'collect']));
  });

  test('a parser that does not answer is an answer too', async () => {
    const stubs = {
      pollParse: () => Promise.reject(failure('LLAMAPARSE_FORBIDDEN', '1 millisecond')),
    };
    await withIngestRun(environment, { stubs }, async (run) => {
      await atScene(run, /Waiting for the parser/);
      const { parser, answer } = await ask(run, 'poll', { actor });
      expect(parser).toBe('no answer');
      expect(answer).toContain('LLAMAPARSE_FORBIDDEN');
      await run.webhook();
      await run.result();
    });
  });

  test('is refused without a name, and where nothing is with the parser: without a trace', async () => {
    const calls: Calls = [];
    const stubs = {
      verify: () => Promise.reject(failure('STORAGE_OBJECT_ABSENT', '1 millisecond')),
    };
    await withIngestRun(environment, { calls, stubs }, async (run) => {
      await atScene(run, /have not arrived/);
      for (const nobody of [undefined, {}, { actor: '' }, { actor: 'ada@example.org' }]) {
        expect(await refusal(ask(run, 'poll', nobody))).toMatch(/^INVALID_REQUEST: actor: needed/);
      }
      expect(await refusal(ask(run, 'poll', { actor }))).toMatch(
        /^NOT_POSSIBLE_NOW: It does not wait for the parser: The bytes have not arrived/,
      );
      expect(await updatesIn(run.handle)).toBe(0);
      await run.handle.cancel();
      expect((await lastWords(run)).code).toBe('canceled');
    });
    expect(calls.filter((call) => call.startsWith('recordCommand'))).toEqual([]);
  });
});

describe('extend the deadline', () => {
  test('of the parser: it may take as long as was said, and no longer', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls }, async (run) => {
      await atScene(run, /Waiting for the parser/);
      const until = await inHours(5);
      expect(await ask(run, 'extend', { actor, until })).toMatchObject({ deadline: until });
      expect((await standing(run)).deadline).toBe(until);
      expect(await lastWords(run)).toMatchObject({ code: 'PARSE_TIMEOUT' });
      expect(await run.durationMs()).toBeGreaterThan(4.9 * hour);
      expect(await run.durationMs()).toBeLessThan(5.1 * hour);
    });
    expect(calls).toContain('recordCommand:extend by ada');
  });

  test('of the upload: bytes that come after the first deadline are taken', async () => {
    const calls: Calls = [];
    const startedAtMs = await environment.currentTimeMs();
    const verify = async () => {
      if ((await environment.currentTimeMs()) - startedAtMs < 3 * hour)
        throw failure('STORAGE_OBJECT_ABSENT', '1 millisecond');
      return { sizeBytes: 1 };
    };
    await withIngestRun(environment, { calls, stubs: { verify } }, async (run) => {
      await atScene(run, /have not arrived/);
      await ask(run, 'extend', { actor, until: await inHours(4) });
      await run.webhook();
      expect(await run.result()).toMatchObject({ outcome: 'complete' });
    });
  });

  test('of the upload by signal, which a start delay survives', async () => {
    const stubs = {
      verify: () => Promise.reject(failure('STORAGE_OBJECT_ABSENT', '1 millisecond')),
    };
    await withIngestRun(environment, { stubs }, async (run) => {
      const untilMs = Date.parse(await inHours(6));
      await run.handle.signal(signalNames.uploadExtended, { untilMs });
      expect((await lastWords(run)).code).toBe('UPLOAD_EXPIRED');
      expect(await run.durationMs()).toBeGreaterThan(5.9 * hour);
    });
  });

  test.each([
    ['storage', 'verify', 'STORAGE_FORBIDDEN', 8 * 24, /Storage is down/],
    ['the embedder', 'embed', 'EMBEDDER_UNAVAILABLE', 30, /Embedding/],
    ['the parser that takes no jobs', 'submitParse', 'LLAMAPARSE_SERVER_ERROR', 30, /Handing/],
    ['collecting', 'collect', 'LLAMAPARSE_SERVER_ERROR', 8 * 24, /Fetching/],
  ] as const)(
    'of %s, which comes back behind the first deadline',
    async (_who, name, code, hours, scene) => {
      const startedAtMs = await environment.currentTimeMs();
      const isBack = async () => {
        if ((await environment.currentTimeMs()) - startedAtMs < hours * hour)
          throw failure(code, '3 hours');
      };
      const happy = {
        verify: { sizeBytes: 1 },
        embed: { chunks: 1 },
        submitParse: { parseJobId: '11111111-1111-4111-8111-111111111111', adopted: true },
        collect: { state: 'stored', pages: 1, chunks: 1 },
      } as const;
      const stubs = { [name]: async () => isBack().then(() => happy[name]) };
      await withIngestRun(environment, { stubs }, async (run) => {
        await run.webhook();
        await atScene(run, scene);
        await ask(run, 'extend', { actor, until: await inHours(hours + 24) });
        expect(await run.result()).toMatchObject({ outcome: 'complete' });
        expect(await run.durationMs()).toBeGreaterThan(hours * hour - 1_000);
      });
    },
  );

  test('is refused where it makes no sense', async () => {
    const refusals = [
      [undefined, /^INVALID_REQUEST: until: needed/],
      ['tomorrow', /^INVALID_REQUEST: until: needed/],
      ['2020-01-01T00:00:00Z', /^INVALID_REQUEST: until: it has passed/],
      [await inHours(0.5), /^INVALID_REQUEST: until: the deadline is .* already/],
      [await inHours(31 * 24), /^INVALID_REQUEST: until: at most 30 days/],
    ] as const;
    await withIngestRun(environment, {}, async (run) => {
      await atScene(run, /Waiting for the parser/);
      for (const [until, words] of refusals) {
        expect(await refusal(ask(run, 'extend', { actor, until }))).toMatch(words);
      }
      expect(await updatesIn(run.handle)).toBe(0);
      await run.webhook();
      await run.result();
    });
  });
});

describe('fail with a reason', () => {
  const reason = 'The parser has lost this one.';

  test.each([
    [
      'waits for its bytes',
      { verify: () => Promise.reject(failure('STORAGE_OBJECT_ABSENT', '1 millisecond')) },
      /have not arrived/,
      'verify',
    ],
    ['waits for the parser', {}, /Waiting for the parser/, 'collect'],
    [
      'waits for storage',
      { verify: () => Promise.reject(failure('STORAGE_FORBIDDEN')) },
      /Storage is down/,
      'verify',
    ],
  ] as const)('a document that %s', async (_where, stubs, scene, stage) => {
    const outcomes: unknown[] = [];
    const recordOutcome = async (outcome: unknown) => {
      outcomes.push(outcome);
      return {};
    };
    await withIngestRun(environment, { stubs: { ...stubs, recordOutcome } }, async (run) => {
      await atScene(run, scene);
      expect(await ask(run, 'fail', { actor, reason })).toEqual({
        answer: 'Failed, as you asked.',
      });
      expect(await lastWords(run)).toEqual({
        code: 'FAILED_BY_OPERATOR',
        words: { stage, actor, reason },
      });
      expect((await run.handle.describe()).status.name).toBe('FAILED');
      const { documentId, attemptId } = run.input;
      const asked = { actor, reason };
      expect(outcomes).toEqual([{ documentId, attemptId, code: 'FAILED_BY_OPERATOR', asked }]);
    });
  });

  test('a document that completes meanwhile says so', async () => {
    const { promise: asked, resolve: letEmbed } = Promise.withResolvers<void>();
    const stubs = { embed: () => asked.then(() => ({ chunks: 1 })) };
    await withIngestRun(environment, { stubs, startStage: 'embed' }, async (run) => {
      await atScene(run, /Embedding/);
      const failing = refusal(ask(run, 'fail', { actor, reason }));
      await vi.waitFor(async () => expect(await updatesIn(run.handle)).toBe(1), 30_000);
      letEmbed();
      expect(await failing).toBe('NOT_POSSIBLE_NOW: The document was faster: complete');
      expect(await run.result()).toMatchObject({ outcome: 'complete' });
    });
  });

  test('is refused without a reason that the owner can read', async () => {
    await withIngestRun(environment, {}, async (run) => {
      await atScene(run, /Waiting for the parser/);
      for (const unsaid of [undefined, 'no', 'two\nlines', 'told ada@example.org']) {
        expect(await refusal(ask(run, 'fail', { actor, reason: unsaid }))).toMatch(
          /^INVALID_REQUEST: reason: needed/,
        );
      }
      expect(await refusal(ask(run, 'fail', { reason }))).toMatch(
        /^INVALID_REQUEST: actor: needed/,
      );
      await run.webhook();
      expect(await run.result()).toMatchObject({ outcome: 'complete' });
    });
  });

  test('an operator whose word reached the row first: the cancelled run closes as failed', async () => {
    const stubs = {
      verify: () => Promise.reject(failure('STORAGE_OBJECT_ABSENT', '1 millisecond')),
      recordOutcome: async () => ({ failedByOperator: { actor, reason } }),
    };
    await withIngestRun(environment, { stubs }, async (run) => {
      await atScene(run, /have not arrived/);
      await run.handle.cancel();
      expect(await lastWords(run)).toEqual({
        code: 'FAILED_BY_OPERATOR',
        words: { stage: 'verify', actor, reason },
      });
    });
  });

  test('a cancel by Temporal goes before it', async () => {
    const { promise: asked, resolve: letRecord } = Promise.withResolvers<void>();
    const stubs = { recordOutcome: () => asked.then(() => ({})) };
    await withIngestRun(environment, { stubs }, async (run) => {
      await atScene(run, /Waiting for the parser/);
      await run.handle.cancel();
      letRecord();
      expect((await lastWords(run)).code).toBe('canceled');
    });
  });
});

describe('the words of a run', () => {
  test('explain and timeline, from the first task on', async () => {
    const stubs = {
      verify: () => Promise.reject(failure('STORAGE_OBJECT_ABSENT', '1 millisecond')),
    };
    await withIngestRun(environment, { stubs }, async (run) => {
      await atScene(run, /have not arrived/);
      expect(await standing(run)).toMatchObject({
        stage: 'verify',
        turn: 'the owner, who uploads and confirms',
        round: 1,
        lastError: 'STORAGE_OBJECT_ABSENT',
        next: expect.stringMatching(/Z$/),
        deadline: new Date(run.input.policy.uploadExpiresAtMs).toISOString(),
      });
      const timeline = await run.handle.query<readonly { words: string }[]>(queryNames.timeline);
      expect(timeline.map(({ words }) => words)).toEqual([
        expect.stringMatching(/Looking for/),
        expect.stringMatching(/have not arrived/),
      ]);
      await run.handle.cancel();
      await lastWords(run);
    });
  });

  test('what kept failing is the last word, beside the code that says the patience is over', async () => {
    const stubs = { verify: () => Promise.reject(failure('STORAGE_FORBIDDEN', '12 hours')) };
    await withIngestRun(environment, { stubs }, async (run) => {
      expect(await lastWords(run)).toEqual({
        code: 'STORAGE_OUT_OF_PATIENCE',
        words: { stage: 'verify', cause: 'STORAGE_FORBIDDEN' },
      });
    });
  });
});
