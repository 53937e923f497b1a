/** Nothing of a parse job stays at the vendor: a job that runs is cancelled, then job and upload are deleted. */
import { markForgotten, type ParseJob } from '../src/db/parse-jobs.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A job whose submit was never answered may be there all the same, or its upload alone: the vendor is asked by our id. */
export async function forgetParseJob(
  { pool, parser }: Pick<ActivityDependencies, 'pool' | 'parser'>,
  { id, providerJobId, providerFileId, createdAt }: ParseJob,
  signal: AbortSignal,
): Promise<void> {
  const job = providerJobId
    ? { providerJobId, providerFileId }
    : await parser.find(id, createdAt, signal);
  await (job ? parser.forget(job, signal) : parser.forgetUploads(id, signal));
  await markForgotten(pool, id);
}
