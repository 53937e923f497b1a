import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../src/chunking/thread-pool.ts';
import type { ScriptedJob } from './scripted-thread.ts';

describe('ThreadPool', () => {
  let pool: ThreadPool<ScriptedJob, number>;
  const poolOf = (size: number) =>
    new ThreadPool<ScriptedJob, number>({
      script: new URL('./scripted-thread.ts', import.meta.url),
      size,
      workerData: undefined,
    });
  beforeEach(() => {
    pool = poolOf(1);
  });
  afterEach(() => pool.close());

  it('keeps its threads warm and starts no more than it may', async () => {
    pool = poolOf(2);
    const first = await pool.run('answer');
    expect(await pool.run('answer')).toBe(first);
    const ids = await Promise.all(Array.from({ length: 10 }, () => pool.run('answer')));
    expect(new Set(ids).size).toBeLessThanOrEqual(2);
  });

  it('kills the thread of a job at its deadline and gives the next job a new one', async () => {
    const stopped = pool.run('spin', { deadlineMs: 50 }).catch((error: unknown) => error);
    const next = pool.run('answer');
    expect(await stopped).toMatchObject({ name: 'ThreadDeadlineError' });
    expect(await next).toBeGreaterThan(0);
  });

  it('rejects with the reason of an abort, under way or still waiting', async () => {
    const reason = new Error('cancelled');
    const abort = new AbortController();
    const jobs = [
      pool.run('spin', { signal: abort.signal }),
      pool.run('answer', { signal: abort.signal }),
    ];
    const outcomes = Promise.allSettled(jobs);
    abort.abort(reason);
    expect(await outcomes).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    await expect(pool.run('answer', { signal: abort.signal })).rejects.toBe(reason);
    expect(await pool.run('answer')).toBeGreaterThan(0);
  });

  it.each(['throw', 'exit'] as const)(
    'fails a job whose thread dies and goes on: %s',
    async (job) => {
      await expect(pool.run(job)).rejects.toThrow();
      expect(await pool.run('answer')).toBeGreaterThan(0);
    },
  );

  it('fails what is under way or waiting when it is closed', async () => {
    const jobs = [pool.run('spin'), pool.run('answer')];
    const outcomes = Promise.allSettled(jobs);
    await pool.close();
    const refused = { status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } };
    expect(await outcomes).toMatchObject([refused, refused]);
    await expect(pool.run('answer')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});
