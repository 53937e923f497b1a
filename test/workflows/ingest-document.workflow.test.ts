/** Every wait of a run, with skipped time: what wakes it, what ends it, and how the run closes. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { ParseJobId } from '../../src/domain/ids.ts';
import { eventually } from '../support/eventually.ts';
import { connectToTemporal, startTimeSkipping } from '../support/temporal.ts';
import { type Calls, failure, type IngestRun, withIngestRun } from '../support/workflow-run.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(() => environment.teardown());

/** The code a run failed with; it tells nothing else, such as a stack with our paths. */
async function failureOf(run: IngestRun): Promise<ErrorCode | string> {
  const error = await run.result().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error('the run did not fail');
  if (error.cause instanceof CancelledFailure) return 'canceled';
  if (!(error.cause instanceof ApplicationFailure)) return String(error.cause);
  expect(error.cause.stack).toBe('');
  return error.cause.type ?? '';
}

const count = (calls: Calls, name: string) => calls.filter((call) => call === name).length;

describe('the main road', () => {
  test('verify, parse, wait for the webhook, collect, embed: each once', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls }, async (run) => {
      await run.webhook();
      expect(await run.result()).toEqual({ outcome: 'complete', pages: 2, chunks: 3 });
    });
    expect(calls).toEqual(['verify', 'submitParse', 'collect', 'embed']);
  });

  test('a webhook that overtakes the answer of its own submit is heard', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: {
          submitParse: async () => {
            await eventually(() => expect(webhookSent).toBe(true));
            return {
              parseJobId: '11111111-1111-4111-8111-111111111111' as ParseJobId,
              adopted: false,
            };
          },
        },
      },
      async (run) => {
        await run.webhook();
        webhookSent = true;
        await run.result();
      },
    );
    expect(count(calls, 'pollParse')).toBe(0);
  });
  let webhookSent = false;

  test('a retry from a later stage passes the earlier ones over', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls, startStage: 'embed' }, (run) => run.result());
    expect(calls).toEqual(['embed']);
  });
});

describe('the wait for the bytes', () => {
  test('four absent looks go back to the wait; the upload expires at its deadline', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      { calls, stubs: { verify: async () => Promise.reject(failure('STORAGE_OBJECT_ABSENT')) } },
      async (run) => {
        expect(await failureOf(run)).toBe('UPLOAD_EXPIRED');
        expect(await run.durationMs()).toBeGreaterThanOrEqual(2 * 3_600_000 - 1_000);
      },
    );
    // Looks now, after 3, 13 and 38 minutes and at the end: four tries each.
    expect(count(calls, 'verify')).toBe(5 * 4);
    expect(calls.at(-1)).toBe('recordOutcome:UPLOAD_EXPIRED');
  });

  test('a look that began before the upload expired is not the last one', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        // Four tries take seven seconds; the bytes come after the last of them has looked.
        uploadLifetimeMs: 5_000,
        stubs: {
          verify: async () => {
            if (count(calls, 'verify') <= 4) throw failure('STORAGE_OBJECT_ABSENT');
            return { sizeBytes: 1 };
          },
        },
      },
      async (run) => {
        await run.webhook();
        expect(await run.result()).toMatchObject({ outcome: 'complete' });
      },
    );
    expect(count(calls, 'verify')).toBe(5);
  });

  test('a confirm that arrives during a look leads to another look', async () => {
    let here = false;
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: {
          verify: async () => {
            if (here) return { sizeBytes: 1 };
            if (count(calls, 'verify') === 1) await confirmed;
            here = count(calls, 'verify') === 4;
            throw failure('STORAGE_OBJECT_ABSENT');
          },
        },
      },
      async (run) => {
        await eventually(() => expect(calls).toContain('verify'));
        await run.confirm();
        letConfirmed();
        await run.webhook();
        await run.result();
        // Before the first planned look after three minutes.
        expect(await run.durationMs()).toBeLessThan(3 * 60_000);
      },
    );
    expect(count(calls, 'verify')).toBe(5);
  });
  let letConfirmed = () => {};
  const confirmed = new Promise<void>((resolve) => {
    letConfirmed = resolve;
  });

  test.each([
    'STORAGE_FORBIDDEN',
    'STORAGE_UNAVAILABLE',
    'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
    'DATABASE_UNAVAILABLE',
  ] as const)(
    '%s for six hours: the document waits and completes, nobody is asked to upload again',
    async (code) => {
      const startedAtMs = await environment.currentTimeMs();
      const calls: Calls = [];
      await withIngestRun(
        environment,
        {
          calls,
          stubs: {
            verify: async () => {
              if ((await environment.currentTimeMs()) - startedAtMs < 6 * 3_600_000)
                throw failure(code);
              return { sizeBytes: 1 };
            },
          },
        },
        async (run) => {
          await run.webhook();
          expect(await run.result()).toMatchObject({ outcome: 'complete' });
          expect(await run.durationMs()).toBeGreaterThan(5 * 3_600_000);
        },
      );
      expect(calls.filter((call) => call.startsWith('recordOutcome'))).toEqual([]);
    },
  );

  test('tries that met an open breaker do not make the next pause longer', async () => {
    const calls: Calls = [];
    const verify = async () => {
      const tries = count(calls, 'verify');
      if (tries <= 12) throw failure('FILE_ACCESS_CIRCUIT_BREAKER_OPEN', '1 second');
      if (tries === 13) throw failure('STORAGE_UNAVAILABLE');
      return { sizeBytes: 1 };
    };
    await withIngestRun(environment, { calls, stubs: { verify } }, async (run) => {
      await run.webhook();
      await run.result();
      expect(await run.durationMs()).toBeLessThan(60_000);
    });
  });

  test('storage out of order for longer than its patience is our fault by name', async () => {
    await withIngestRun(
      environment,
      { stubs: { verify: async () => Promise.reject(failure('STORAGE_FORBIDDEN', '1 hour')) } },
      async (run) => expect(await failureOf(run)).toBe('STORAGE_OUT_OF_PATIENCE'),
    );
  });

  test('bytes that are not what was declared end the run at once', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      { calls, stubs: { verify: async () => Promise.reject(failure('CHECKSUM_MISMATCH')) } },
      async (run) => expect(await failureOf(run)).toBe('CHECKSUM_MISMATCH'),
    );
    expect(calls).toEqual(['verify', 'recordOutcome:CHECKSUM_MISMATCH']);
  });
});

describe('the wait for the parser', () => {
  test('a webhook that never comes: polls with growing intervals find the result', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: {
          pollParse: async () => ({ state: count(calls, 'pollParse') < 3 ? 'pending' : 'ended' }),
        },
      },
      async (run) => {
        await run.result();
        // 15 + 30 + 60 s
        expect(await run.durationMs()).toBeGreaterThanOrEqual(105_000);
      },
    );
    expect(count(calls, 'pollParse')).toBe(3);
    expect(count(calls, 'collect')).toBe(1);
  });

  test('a parser that never ends: the deadline does, by name', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls }, async (run) => {
      expect(await failureOf(run)).toBe('PARSE_TIMEOUT');
    });
    expect(calls.at(-1)).toBe('recordOutcome:PARSE_TIMEOUT');
  });

  test('a forged or early webhook costs one look and decides nothing', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: {
          collect: async () =>
            count(calls, 'collect') === 1
              ? { state: 'pending' }
              : { state: 'stored', pages: 1, chunks: 1 },
          pollParse: async () => ({ state: 'ended' }),
        },
      },
      async (run) => {
        await run.webhook();
        await run.result();
      },
    );
    expect(count(calls, 'collect')).toBe(2);
    expect(count(calls, 'pollParse')).toBe(1);
  });

  test('a webhook of another job wakes nobody', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      { calls, stubs: { pollParse: async () => ({ state: 'ended' }) } },
      async (run) => {
        await run.webhook('22222222-2222-4222-8222-222222222222' as ParseJobId);
        await run.result();
      },
    );
    expect(count(calls, 'pollParse')).toBe(1);
  });

  test('a result that the vendor lost is asked for once more, then it is a failure', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: {
          pollParse: async () => ({ state: 'ended' }),
          collect: async () => Promise.reject(failure('LLAMAPARSE_RESULT_EXPIRED')),
        },
      },
      async (run) => expect(await failureOf(run)).toBe('LLAMAPARSE_RESULT_EXPIRED'),
    );
    expect(count(calls, 'submitParse')).toBe(2);
  });

  test('a parser down for six hours loses nothing', async () => {
    const startedAtMs = await environment.currentTimeMs();
    await withIngestRun(
      environment,
      {
        stubs: {
          submitParse: async () => {
            if ((await environment.currentTimeMs()) - startedAtMs < 6 * 3_600_000) {
              throw failure('LLAMAPARSE_SERVER_ERROR');
            }
            return {
              parseJobId: '11111111-1111-4111-8111-111111111111' as ParseJobId,
              adopted: false,
            };
          },
          pollParse: async () => ({ state: 'ended' }),
        },
      },
      async (run) => expect(await run.result()).toMatchObject({ outcome: 'complete' }),
    );
  });
});

describe('an attempt that starts from stored Markdown', () => {
  test('collects without a parse job', async () => {
    const calls: Calls = [];
    await withIngestRun(environment, { calls, startStage: 'collect' }, (run) => run.result());
    expect(calls).toEqual(['collect', 'embed']);
  });

  test('has the document parsed again when that is gone', async () => {
    const calls: Calls = [];
    const collect = async () => {
      if (count(calls, 'collect') === 1) throw failure('LLAMAPARSE_RESULT_EXPIRED');
      return { state: 'stored', pages: 1, chunks: 1 } as const;
    };
    await withIngestRun(
      environment,
      { calls, startStage: 'collect', stubs: { collect } },
      async (run) => {
        await run.webhook();
        await run.result();
      },
    );
    expect(calls).toEqual(['collect', 'submitParse', 'collect', 'embed']);
  });

  test('an adopted job is looked at before its webhook is waited for', async () => {
    const calls: Calls = [];
    const submitParse = async () => ({
      parseJobId: '11111111-1111-4111-8111-111111111111' as ParseJobId,
      adopted: true,
    });
    await withIngestRun(
      environment,
      { calls, startStage: 'parse', stubs: { submitParse } },
      (run) => run.result(),
    );
    expect(calls).toEqual(['submitParse', 'collect', 'embed']);
  });
});

describe('how a run closes', () => {
  test('cancel closes as Canceled, after the outcome was written', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      { calls, stubs: { verify: async () => Promise.reject(failure('STORAGE_OBJECT_ABSENT')) } },
      async (run) => {
        await eventually(() => expect(count(calls, 'verify')).toBeGreaterThan(0));
        await run.handle.cancel();
        expect(await failureOf(run)).toBe('canceled');
        expect((await run.handle.describe()).status.name).toBe('CANCELLED');
      },
    );
    expect(calls.at(-1)).toBe('recordOutcome:CANCELLED');
  });

  test('a cancel that meets an activity failing by itself is written down all the same', async () => {
    // The time-skipping server forgets an activity that fails after its cancel was requested.
    const devServer = await connectToTemporal();
    const calls: Calls = [];
    let letFail = () => {};
    const asked = new Promise<void>((resolve) => {
      letFail = resolve;
    });
    const verify = async () => {
      await asked;
      throw failure('CHECKSUM_MISMATCH');
    };
    await withIngestRun(devServer, { calls, stubs: { verify } }, async (run) => {
      await eventually(() => expect(calls).toContain('verify'));
      await run.handle.cancel();
      letFail();
      expect(await failureOf(run)).toBe('canceled');
    });
    expect(calls.at(-1)).toBe('recordOutcome:CANCELLED');
    await devServer.teardown();
  });

  test('a superseded run completes and writes nothing', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: { embed: async () => Promise.reject(failure('ATTEMPT_SUPERSEDED')) },
        startStage: 'embed',
      },
      async (run) => expect(await run.result()).toEqual({ outcome: 'superseded' }),
    );
    expect(calls).toEqual(['embed']);
  });

  test.each(['CANCELLED', 'DOCUMENT_DELETED'] as const)(
    '%s in the row waits for its cancel, and not for ever',
    async (code) => {
      const stubs = { embed: async () => Promise.reject(failure(code)) };
      await withIngestRun(environment, { stubs, startStage: 'embed' }, async (run) => {
        expect(await run.result()).toEqual({ outcome: 'superseded' });
      });
      const calls: Calls = [];
      await withIngestRun(environment, { calls, stubs, startStage: 'embed' }, async (run) => {
        await eventually(() => expect(calls).toContain('embed'));
        await run.handle.cancel();
        expect(await failureOf(run)).toBe('canceled');
      });
    },
  );

  test.each(['CANCELLED', 'DOCUMENT_DELETED'] as const)(
    'a failure that comes after %s in the row closes as the owner asked',
    async (endedByOwner) => {
      const calls: Calls = [];
      const stubs = {
        verify: async () => Promise.reject(failure('CHECKSUM_MISMATCH')),
        recordOutcome: async () => ({ endedByOwner }),
      };
      await withIngestRun(environment, { calls, stubs }, async (run) => {
        await eventually(() => expect(calls).toContain('recordOutcome:CHECKSUM_MISMATCH'));
        await run.handle.cancel();
        expect(await failureOf(run)).toBe('canceled');
      });
    },
  );

  test.each(['verify', 'submitParse', 'embed'] as const)(
    '%s fails for good by a code of a newer worker: the run ends, and waits for nothing',
    async (name) => {
      const calls: Calls = [];
      const newer = () =>
        Promise.reject(ApplicationFailure.nonRetryable('of a newer worker', 'NOT_KNOWN_HERE'));
      const startStage = name === 'verify' ? 'verify' : name === 'embed' ? 'embed' : 'parse';
      await withIngestRun(
        environment,
        { calls, stubs: { [name]: newer }, startStage },
        async (run) => expect(await failureOf(run)).toBe('INTERNAL_ERROR'),
      );
      expect(calls).toEqual([name, 'recordOutcome:INTERNAL_ERROR']);
    },
  );

  test('an embedder that never answers ends by its own name', async () => {
    await withIngestRun(
      environment,
      {
        stubs: { embed: async () => Promise.reject(failure('EMBEDDER_UNAVAILABLE', '30 minutes')) },
        startStage: 'embed',
      },
      async (run) => expect(await failureOf(run)).toBe('EMBEDDING_OUT_OF_PATIENCE'),
    );
  });

  test('a run without a row stops every effect, parks, and ends after its deadline', async () => {
    const calls: Calls = [];
    await withIngestRun(
      environment,
      {
        calls,
        stubs: { verify: async () => Promise.reject(failure('ATTEMPT_ABSENT', '12 hours')) },
      },
      async (run) => expect(await failureOf(run)).toBe('ATTEMPT_ABSENT'),
    );
    expect(calls.filter((call) => call !== 'verify')).toEqual(['recordOutcome:ATTEMPT_ABSENT']);
  });
});
