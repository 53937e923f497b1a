/** Commit, then tell Temporal, then write down that it heard: what fails in between is made good by the outbox sweep. */
import { stampRun } from '../../db/attempts.ts';
import { findStartable, markConfirmSent } from '../../db/outbox.ts';
import type { Pool } from '../../db/pool.ts';
import type { AttemptId } from '../../domain/ids.ts';
import type { RunRequest, Runs } from '../../temporal/runs.ts';

/** False while the run of an earlier attempt is still closing: the sweep starts this one a moment later. */
export async function startAttempt(pool: Pool, runs: Runs, request: RunRequest): Promise<boolean> {
  const runId = await runs.start(request);
  if (runId === undefined) return false;
  await stampRun(pool, request.attemptId, runId);
  return true;
}

/** An unstamped attempt is started first: an earlier run of this document would make a signal-with-start refuse. */
export async function tellConfirm(pool: Pool, runs: Runs, attemptId: AttemptId): Promise<void> {
  const request = await findStartable(pool, attemptId);
  if (!request) return;
  if (!request.started && !(await startAttempt(pool, runs, request))) return;
  await runs.confirm(request);
  await markConfirmSent(pool, attemptId);
}
