/** Nothing of a parse job stays at the vendor: a job that runs is cancelled, then job and upload are deleted. */
import { markForgotten, type ParseJob } from '../src/db/parse-jobs.ts';
import type { ActivityDependencies } from './dependencies.ts';

type Parties = Pick<ActivityDependencies, 'pool' | 'parser'>;

/** What the row knows of. A job whose submit was never answered may be there all the same: the vendor is asked by our id. */
export async function forgetParseJob(
  parties: Parties,
  job: ParseJob,
  signal: AbortSignal,
): Promise<void> {
  if (job.providerJobId) await forgetKnown(parties, job, signal);
  else await parties.parser.forgetAll(job.id, job.createdAt, signal);
  await markForgotten(parties.pool, job.id);
}

/** What the row does not know of as well: the other job of a double payment, the upload of a try that was overtaken. */
export async function eraseParseJob(
  parties: Parties,
  job: ParseJob,
  signal: AbortSignal,
): Promise<void> {
  await forgetKnown(parties, job, signal);
  await parties.parser.forgetAll(job.id, job.createdAt, signal);
  await markForgotten(parties.pool, job.id);
}

async function forgetKnown(
  { parser }: Parties,
  { providerJobId, providerFileId }: ParseJob,
  signal: AbortSignal,
): Promise<void> {
  if (providerJobId) await parser.forget({ providerJobId, providerFileId }, signal);
}
