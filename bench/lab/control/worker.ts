/**
 * The first control's worker. Its claim is a `skip locked` outside of a transaction, so the lock is gone at once; what it
 * works on it remembers in memory, and a failure is final.
 */
import pg from 'pg';
import { nextJob, setFailed } from './jobs.ts';
import { poll } from './poll.ts';
import { fetchFile, processJob } from './process-job.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
const pool = new pg.Pool({ connectionString: settings.databaseUrl });
const busy = new Set<string>();

console.log('worker ready');
await poll({
  pollMs: settings.pollMs,
  claim: () => nextJob(pool, busy),
  async work(job) {
    busy.add(job.job_id);
    try {
      await processJob(job, { settings, database: pool, fetchFile });
    } catch (error) {
      console.error(error);
      await setFailed(pool, job, error);
    } finally {
      busy.delete(job.job_id);
    }
  },
});
