/**
 * The second control's worker: the guide's fixes 1.3, 2.2, 3.1 and 3.2 over the first one. Read kindly: the claim's
 * transaction stays open while the job is worked on, and the queue's backoff is the `retry_at` that its query reads, so
 * a killed worker loses neither.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lastError, notAccessible, UserFacingError } from '../control/errors.ts';
import { type Job, nextJob, setFailed } from '../control/jobs.ts';
import { poll } from '../control/poll.ts';
import { processJob, untilAccessible } from '../control/process-job.ts';
import { type ControlSettings, readSettings } from '../control/settings.ts';
import { readBlob } from '../control/storage.ts';
import { FileAccessCircuitBreaker } from './circuit-breaker.ts';

const MAX_RETRIES = 3;
const READ_TRIES = 3;

const settings = readSettings();
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 40 });
const breaker = new FileAccessCircuitBreaker(settings.breakerMs);

interface Claimed {
  readonly job: Job;
  readonly client: pg.PoolClient;
}

/** 3.2: one claim at a time over all workers, by the row's lock. */
async function claim(): Promise<Claimed | undefined> {
  const client = await pool.connect();
  await client.query('begin');
  const job = await nextJob(client, []);
  if (job !== undefined) return { job, client };
  await client.query('rollback');
  client.release();
  return undefined;
}

async function work({ job, client }: Claimed): Promise<void> {
  try {
    await processJob(job, { settings, database: client, fetchFile: guarded });
    await client.query('commit');
  } catch (error) {
    console.error(error);
    await client.query('rollback');
    await retryLater(job, error);
  } finally {
    client.release();
  }
}

/** 2.2: any failure to reach the file counts, and while it is open documents fail. */
async function guarded(to: ControlSettings, job: Job): Promise<Buffer> {
  if (breaker.isOpen()) {
    throw new UserFacingError(
      'File access service is temporarily unavailable due to repeated failures',
      'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
    );
  }
  try {
    await untilAccessible(to, job);
    const content = await readWithRetry(to, job);
    breaker.recordSuccess();
    return content;
  } catch (error) {
    breaker.recordFailure();
    throw error;
  }
}

/** 1.3: three tries, 1 and 2 s apart; empty counts as unread. */
async function readWithRetry(to: ControlSettings, job: Job): Promise<Buffer> {
  for (let attempt = 0; attempt < READ_TRIES; attempt += 1) {
    if (attempt > 0) await sleep(2 ** (attempt - 1) * 1_000);
    const content = await readBlob(to.storage, job.storage_path).catch(() => undefined);
    if (content !== undefined && content.byteLength > 0) return content;
  }
  throw notAccessible();
}

/** 3.1: three retries with backoff, then failed for good. */
async function retryLater(job: Job, error: unknown): Promise<void> {
  if (job.retry_count >= MAX_RETRIES) return setFailed(pool, job, error);
  await pool.query(
    `update upload_pipeline.upload_jobs
     set retry_count = retry_count + 1, updated_at = now(),
         last_error = $2::jsonb || jsonb_build_object('retry_at', now() + make_interval(secs => $3))
     where job_id = $1`,
    [job.job_id, lastError(error), 2 ** job.retry_count],
  );
}

console.log('worker ready');
await poll({ pollMs: settings.pollMs, claim, work });
