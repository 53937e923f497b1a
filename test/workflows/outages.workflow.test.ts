/** A party that is away for six hours at any stage: the document waits, nothing is paid again, and it completes. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { startTimeSkipping } from '../support/temporal.ts';
import { type Calls, failure, type Stubs, withIngestRun } from '../support/workflow-run.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

const SIX_HOURS_MS = 6 * 3_600_000;

/** Fails with the code until six hours are over. */
async function outage(code: ErrorCode): Promise<() => Promise<void>> {
  const startedAtMs = await environment.currentTimeMs();
  return async () => {
    if ((await environment.currentTimeMs()) - startedAtMs < SIX_HOURS_MS) throw failure(code);
  };
}

const stages: Readonly<Record<string, (unlessOut: () => Promise<void>) => Stubs>> = {
  collect: (unlessOut) => ({
    collect: async () => {
      await unlessOut();
      return { state: 'stored', pages: 1, chunks: 1 };
    },
  }),
  embed: (unlessOut) => ({
    embed: async () => {
      await unlessOut();
      return { chunks: 1 };
    },
  }),
};

test.each([
  ['collect', 'LLAMAPARSE_SERVER_ERROR'],
  ['collect', 'STORAGE_UNAVAILABLE'],
  ['collect', 'DATABASE_UNAVAILABLE'],
  ['embed', 'EMBEDDER_UNAVAILABLE'],
  ['embed', 'EMBEDDER_RATE_LIMITED'],
  ['embed', 'DATABASE_UNAVAILABLE'],
] as const)('six hours at %s with %s: the document waits and completes', async (stage, code) => {
  const stubs = stages[stage]?.(await outage(code));
  const calls: Calls = [];
  await withIngestRun(environment, { calls, ...(stubs && { stubs }) }, async (run) => {
    await run.webhook();
    expect(await run.result()).toMatchObject({ outcome: 'complete' });
    expect(await run.durationMs()).toBeGreaterThan(SIX_HOURS_MS - 1_000);
  });
  expect(calls.filter((call) => call !== stage)).toEqual(
    ['verify', 'submitParse', 'collect', 'embed'].filter((call) => call !== stage),
  );
});

test('polls without an answer are no end: the webhook after six silent minutes is', async () => {
  const calls: Calls = [];
  const pollParse = async () => Promise.reject(failure('LLAMAPARSE_SERVER_ERROR'));
  await withIngestRun(environment, { calls, stubs: { pollParse } }, async (run) => {
    await environment.sleep('6 minutes');
    await run.webhook();
    expect(await run.result()).toMatchObject({ outcome: 'complete' });
  });
  expect(calls.filter((call) => call === 'submitParse')).toHaveLength(1);
});

test('an outcome is written down however long the database is away', async () => {
  const back = await outage('DATABASE_UNAVAILABLE');
  const calls: Calls = [];
  const verify = async () => Promise.reject(failure('CHECKSUM_MISMATCH'));
  const recordOutcome = () => back().then(() => ({}));
  const stubs = { verify, recordOutcome };
  await withIngestRun(environment, { calls, stubs }, async (run) => {
    await expect(run.result()).rejects.toThrow();
    expect(await run.durationMs()).toBeGreaterThan(SIX_HOURS_MS - 1_000);
  });
  expect(calls.at(-1)).toBe('recordOutcome:CHECKSUM_MISMATCH');
});

test.each([
  ['LLAMAPARSE_SERVER_ERROR', 'PARSER_OUT_OF_PATIENCE'],
  ['STORAGE_UNAVAILABLE', 'STORAGE_OUT_OF_PATIENCE'],
] as const)('%s for longer than the patience of collect ends as %s', async (code, expected) => {
  const calls: Calls = [];
  const collect = async () => Promise.reject(failure(code, '12 hours'));
  await withIngestRun(environment, { calls, stubs: { collect } }, async (run) => {
    await run.webhook();
    await expect(run.result()).rejects.toThrow();
  });
  expect(calls.at(-1)).toBe(`recordOutcome:${expected}`);
});
