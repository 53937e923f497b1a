/**
 * Database and vendor: paid calls that nobody waits for any more, and jobs of ours that no row knows, or whose row
 * believes them gone: a create may reach the vendor after the look that found nothing there.
 */
import { endParseJob, hasEnded } from '../../src/db/parse-jobs.ts';
import { abandonedParseJobs, knownParseJobs } from '../../src/db/reconciliation.ts';
import { forgetParseJob } from '../forget-parse-job.ts';
import { batches } from './batches.ts';
import type { Found, Scene } from './finding.ts';
import { graceBegins, isOver } from './grace.ts';

const PAGE = 100;

export async function* lookAtParseJobs(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const before = graceBegins('parse-job-not-forgotten', scene);
  const page = await abandonedParseJobs(scene.pool, { after: cursor, limit: PAGE, before });
  for (const job of page) {
    const kind = hasEnded(job) ? 'parse-job-not-forgotten' : 'attempt-without-answer';
    const heal = async () => {
      await forgetParseJob(scene, job, scene.signal);
      await endParseJob(scene.pool, job.id, { state: 'cancelled' });
    };
    yield { kind, id: job.id, since: job.createdAt, heal };
  }
  return page.length < PAGE ? undefined : page.at(-1)?.id;
}

/** A dump may be as old as this; the vendor keeps jobs for less. */
const LOOK_BACK_MS = 31 * 24 * 3_600_000;

export async function* lookAtVendorJobs(scene: Scene): AsyncGenerator<Found, undefined> {
  const { pool, parser, signal } = scene;
  const since = new Date(Date.now() - LOOK_BACK_MS);
  for await (const jobs of batches(parser.ownJobs(since, signal))) {
    const known = await knownParseJobs(
      pool,
      jobs.map(({ parseJobId }) => parseJobId),
    );
    for (const { parseJobId, providerJobId, createdAt } of jobs) {
      const standing = known.get(parseJobId);
      const kind = standing === undefined ? 'parse-job-without-attempt' : 'parse-job-not-forgotten';
      if (standing === 'needed' || !isOver(kind, createdAt, scene)) continue;
      const heal = async () => {
        await parser.forget({ providerJobId, providerFileId: undefined }, signal);
        await parser.forgetAll(parseJobId, createdAt, signal);
      };
      yield { kind, id: parseJobId, since: createdAt, heal };
    }
  }
  return undefined;
}
