/** Commit, start, stamp, in that order: what fails after the commit is made good by the outbox sweep. */
import { stampRun } from '../../db/attempts.ts';
import type { Pool } from '../../db/pool.ts';
import type { RunRequest, Runs } from '../../temporal/runs.ts';

/** False while the run of an earlier attempt is still closing: the sweep starts this one a moment later. */
export async function startAttempt(pool: Pool, runs: Runs, request: RunRequest): Promise<boolean> {
  const runId = await runs.start(request);
  if (runId === undefined) return false;
  await stampRun(pool, request.attemptId, runId);
  return true;
}
