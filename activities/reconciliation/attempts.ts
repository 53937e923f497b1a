/** Database to Temporal: unfinished attempts whose run is lost, was terminated, or closed and left no outcome. */
import { holdAttempt } from '../../src/db/attempts.ts';
import { findStartable } from '../../src/db/outbox.ts';
import { inTransaction } from '../../src/db/pool.ts';
import {
  renewRun,
  type UnfinishedAttempt,
  unfinishedAttempts,
} from '../../src/db/reconciliation.ts';
import type { KnownRun } from '../../src/temporal/run-readings.ts';
import { endHeld } from '../record-outcome.ts';
import type { Found, Scene } from './finding.ts';
import { graceBegins, isOver } from './grace.ts';

const kind = 'row-without-run';
const PAGE = 100;

export async function* lookAtAttempts(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const before = graceBegins(kind, scene);
  const page = await unfinishedAttempts(scene.pool, { after: cursor, limit: PAGE, before });
  for (const attempt of page) {
    const run = await scene.runs.latestRun(attempt.documentId);
    const { attemptId: id, updatedAt: since } = attempt;
    if (run === undefined || isClosed(run, scene)) {
      yield { kind, id, since, heal: () => heal(scene, attempt, run) };
    } else if (scene.afterRestore && run.hasBegun && run.attemptId === id) {
      yield { kind: 'run-ahead-of-row', id, since, heal: () => replace(scene, attempt, run) };
    }
    // Else the open run is this attempt's, or stands in its way and is another pass's finding.
  }
  return page.length < PAGE ? undefined : page.at(-1)?.attemptId;
}

function isClosed({ closedAt }: KnownRun, scene: Scene): boolean {
  return closedAt !== undefined && isOver(kind, closedAt, scene);
}

/** A run that failed or was cancelled has the last word; one that was terminated, or never came back, has none. */
async function heal(
  scene: Scene,
  attempt: UnfinishedAttempt,
  run: KnownRun | undefined,
): Promise<void> {
  const { attemptId, documentId, runId } = attempt;
  const code =
    run && runId === run.runId ? await scene.runs.failureOf(documentId, runId) : undefined;
  if (code === undefined || runId === undefined) return await startAgain(scene, attempt);
  await inTransaction(scene.pool, async (transaction) => {
    const held = await holdAttempt(transaction, { documentId, attemptId, runId });
    await endHeld(transaction, held, code);
  });
}

async function replace(scene: Scene, attempt: UnfinishedAttempt, run: KnownRun): Promise<void> {
  await scene.runs.terminate(attempt.documentId, run.runId);
  await startAgain(scene, attempt);
}

/** From the attempt's first stage: what is done is passed over, what is paid is adopted. The old run is superseded. */
async function startAgain(
  { pool, runs }: Scene,
  { attemptId, runId }: UnfinishedAttempt,
): Promise<void> {
  const request = await findStartable(pool, attemptId);
  const to = request && (await runs.start(request));
  if (to !== undefined) await renewRun(pool, attemptId, { from: runId, to });
}
