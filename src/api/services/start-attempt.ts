/** Commit, then tell Temporal, then write down that it heard: what fails in between is made good by the outbox sweep. */
import { stampRun } from '../../db/attempts.ts';
import { markConfirmSent, type Startable } from '../../db/outbox.ts';
import type { Pool } from '../../db/pool.ts';
import type { RunRequest, Runs } from '../../temporal/runs.ts';

/** False while the run of an earlier attempt is still closing: the sweep starts this one a moment later. */
export async function startAttempt(pool: Pool, runs: Runs, request: RunRequest): Promise<boolean> {
  const runId = await runs.start(request);
  if (runId === undefined) return false;
  await stampRun(pool, request.attemptId, runId);
  return true;
}

/** An unstamped attempt is started first: an earlier run of this document would make a signal-with-start refuse. */
export async function tellConfirm(pool: Pool, runs: Runs, attempt: Startable): Promise<void> {
  if (!attempt.started && !(await startAttempt(pool, runs, attempt))) return;
  await runs.confirm(attempt);
  await markConfirmSent(pool, attempt.attemptId);
}
