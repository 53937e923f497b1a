/** Temporal to database: open runs for which no row stands, whose row has let go of them, or whose workers are gone. */
import { type Standing, standingsOf } from '../../src/db/reconciliation.ts';
import type { FindingKind } from '../../src/domain/reconciliation.ts';
import type { OpenRun } from '../../src/temporal/run-readings.ts';
import { batches } from './batches.ts';
import type { Found, Scene } from './finding.ts';
import { isOver } from './grace.ts';

export async function* lookAtRuns(scene: Scene): AsyncGenerator<Found, undefined> {
  const served = await scene.runs.servedVersions();
  for await (const runs of batches(scene.runs.openRuns('ingest'))) {
    const standings = await standingsOf(
      scene.pool,
      runs.map(({ documentId }) => documentId),
    );
    for (const run of runs) {
      const standing = standings.get(run.documentId);
      const found = verdict(scene, run, standing) ?? stranded(scene, { run, standing, served });
      if (found) yield found;
    }
  }
  return undefined;
}

function verdict(scene: Scene, run: OpenRun, standing: Standing | undefined): Found | undefined {
  const since = standing?.updatedAt ?? run.startedAt;
  const kind = kindOf(run, standing);
  if (kind === undefined || !isOver(kind, since, scene)) return undefined;
  const found = { kind, id: run.documentId, since };
  const { documentId, attemptId } = run;
  // Without a row it may still be the only trace of a document: an operator decides.
  if (attemptId === undefined || (kind === 'run-without-row' && !scene.afterRestore)) return found;
  return { ...found, heal: () => scene.runs.stop({ documentId, attemptId }) };
}

/** Only reported: whether its workers will come back, or may be spared, an operator knows. */
function stranded(
  scene: Scene,
  {
    run: { documentId: id, version, startedAt },
    standing,
    served,
  }: {
    readonly run: OpenRun;
    readonly standing: Standing | undefined;
    readonly served: ReadonlySet<string>;
  },
): Found | undefined {
  const kind = 'run-without-worker';
  const since = standing?.updatedAt ?? startedAt;
  if (version === undefined || served.has(version) || !isOver(kind, since, scene)) return undefined;
  return { kind, id, since };
}

function kindOf(
  { attemptId }: OpenRun,
  standing: Standing | undefined,
): Extract<FindingKind, 'run-without-row' | 'run-not-stopped'> | undefined {
  if (standing === undefined) return 'run-without-row';
  const { deletedAt, currentAttemptId, status } = standing;
  const stopped = deletedAt !== undefined || status === 'cancelled' || status === 'deleted';
  return stopped || currentAttemptId !== attemptId ? 'run-not-stopped' : undefined;
}
