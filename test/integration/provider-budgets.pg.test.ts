/** The bucket that all workers share: never over the rate, by the database's clock, and silent during a pause. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import { pauseProvider, takeTurn } from '../../src/db/provider-budgets.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import {
  createProviderBudget,
  type WithinBudget,
} from '../../src/provider-budget/provider-budget.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.pool.query('delete from intake.provider_budgets'));
afterAll(() => database.close());

const never = new AbortController().signal;
const patient = { callsPerSecond: 50, burst: 5, maxWaitMs: 60_000 };
const take = (request = patient) => takeTurn(database.pool, 'parser', request);

/** A process of its own, as far as the budget can tell. */
function worker(limits: { callsPerSecond?: number; burst?: number; atOnce?: number } = {}) {
  return createProviderBudget(
    {
      takeTurn: (request) => takeTurn(database.pool, 'parser', request),
      pause: (ms) => pauseProvider(database.pool, 'parser', ms),
    },
    {
      callsPerSecond: 50,
      burst: 1,
      atOnce: 4,
      refusedAs: 'LLAMAPARSE_RATE_LIMIT_ERROR',
      ...limits,
    },
  );
}

describe('the bucket', () => {
  test('gives the burst at once and then one turn an interval, whoever asks', async () => {
    const turns = await Promise.all(Array.from({ length: 25 }, () => take()));
    const waits = turns.map(({ waitMs }) => waitMs).toSorted((a, b) => a - b);
    expect(turns.every(({ granted }) => granted)).toBe(true);
    expect(waits.filter((ms) => ms === 0).length).toBeGreaterThanOrEqual(5);
    const { rows } = await database.pool.query<{ ahead: number }>(
      `select extract(epoch from next_call_at - clock_timestamp())::float8 * 1000 as ahead
       from intake.provider_budgets`,
    );
    // 25 turns at 20 ms, five of them from the burst: no more time can have been given away than has passed.
    expect(rows[0]?.ahead).toBeLessThanOrEqual(20 * 20 + 20);
  });

  test('does not take a turn that is too far off, and says how far', async () => {
    const slow = { callsPerSecond: 0.1, burst: 1, maxWaitMs: 1_000 };
    expect(await take(slow)).toEqual({ granted: true, waitMs: 0 });
    const refused = [await take(slow), await take(slow)];
    for (const { granted, waitMs } of refused) {
      expect(granted).toBe(false);
      expect(waitMs).toBeGreaterThan(1_000);
      expect(waitMs).toBeLessThanOrEqual(10_000);
    }
  });

  test('a pause holds back everybody, and a shorter one does not end it', async () => {
    await pauseProvider(database.pool, 'parser', 60_000);
    await pauseProvider(database.pool, 'parser', 1_000);
    const { granted, waitMs } = await take({ ...patient, maxWaitMs: 0 });
    expect(granted).toBe(false);
    expect(waitMs).toBeGreaterThan(50_000);
    expect(await takeTurn(database.pool, 'embedder', patient)).toEqual({
      granted: true,
      waitMs: 0,
    });
  });

  test('goes by the clock of the database', async () => {
    await take({ callsPerSecond: 0.001, burst: 1, maxWaitMs: 0 });
    await database.pool.query(
      `update intake.provider_budgets set next_call_at = clock_timestamp() - interval '1 second'`,
    );
    expect(await take({ callsPerSecond: 0.001, burst: 1, maxWaitMs: 0 })).toMatchObject({
      granted: true,
    });
  });
});

describe('calls within the budget', () => {
  test('of two workers are never more than the rate allows', async () => {
    const made: number[] = [];
    const call = async () => {
      made.push(performance.now());
    };
    const workers = [worker(), worker()];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => (workers[index % 2] as WithinBudget)(call, never)),
    );
    const lasted = (made.at(-1) ?? 0) - (made[0] ?? 0);
    // 39 intervals of 20 ms; a timer of Node may fire a millisecond early.
    expect(lasted).toBeGreaterThanOrEqual(39 * 20 - 25);
  });

  test('a 429 is made again after the pause that it asked for, and nobody calls meanwhile', async () => {
    const made: { who: string; at: number }[] = [];
    let refusals = 1;
    const calling = (who: string) => async () => {
      made.push({ who, at: performance.now() });
      if (refusals-- > 0) {
        throw new IntakeError('LLAMAPARSE_RATE_LIMIT_ERROR', { retryAfterMs: 400 });
      }
      return who;
    };
    const first = worker()(calling('first'), never);
    await expect.poll(() => made.length).toBe(1);
    await expect.poll(async () => (await take({ ...patient, maxWaitMs: 0 })).granted).toBe(false);
    expect(await worker()(calling('second'), never)).toBe('second');
    expect(await first).toBe('first');
    expect(made.map(({ who }) => who).toSorted()).toEqual(['first', 'first', 'second']);
    expect((made[1]?.at ?? 0) - (made[0]?.at ?? 0)).toBeGreaterThanOrEqual(395);
  });

  test('after a 429 that names no time nobody calls for a while all the same', async () => {
    const untold = () => Promise.reject(new IntakeError('LLAMAPARSE_RATE_LIMIT_ERROR'));
    const failure: unknown = await worker()(untold, never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'LLAMAPARSE_RATE_LIMIT_ERROR', retryable: true });
    expect((failure as IntakeError).retryAfterMs).toBeGreaterThan(1_000);
    expect((await take({ ...patient, maxWaitMs: 0 })).waitMs).toBeGreaterThan(1_000);
  });

  test('a long pause is not waited out here: the document comes back when it is over', async () => {
    const refused = new IntakeError('LLAMAPARSE_RATE_LIMIT_ERROR', {
      detail: 'status 429',
      retryAfterMs: 60_000,
    });
    let calls = 0;
    const call = async () => {
      calls += 1;
      throw refused;
    };
    const failure = await worker()(call, never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: refused.code, detail: 'status 429', retryable: true });
    expect((failure as IntakeError).retryAfterMs).toBeGreaterThan(50_000);
    await expect(worker()(call, never)).rejects.toMatchObject({ code: refused.code });
    expect(calls).toBe(1);
  });

  test('run only so many at once, and whoever gives up leaves the queue', async () => {
    const budget = worker({ callsPerSecond: 10_000, burst: 100, atOnce: 2 });
    let running = 0;
    let most = 0;
    const call = async () => {
      running += 1;
      most = Math.max(most, running);
      await delay(5);
      running -= 1;
    };
    const abort = new AbortController();
    const all = Array.from({ length: 10 }, () => budget(call, never));
    const given = budget(call, abort.signal);
    const reason = new Error('cancelled');
    abort.abort(reason);
    await expect(given).rejects.toBe(reason);
    await Promise.all(all);
    expect(most).toBe(2);
    most = 0;
    await Promise.all([budget(call, never), budget(call, never)]);
    expect(most).toBe(2);
  });

  test('what is no 429 passes at once', async () => {
    const broken = new IntakeError('LLAMAPARSE_SERVER_ERROR', { retryAfterMs: 5 });
    await expect(worker()(() => Promise.reject(broken), never)).rejects.toBe(broken);
    expect(await take({ ...patient, maxWaitMs: 100 })).toMatchObject({ granted: true });
  });

  test('without a database there is no call', async () => {
    const gone = createPool({
      connectionString: 'postgres://nobody@127.0.0.1:1/none',
      size: 1,
      onIdleError: () => undefined,
    });
    await expect(takeTurn(gone, 'parser', patient)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    await gone.end();
  });
});
