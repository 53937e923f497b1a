/**
 * Storage and Temporal to database: documents that were deleted after the dump from which the database was restored.
 * Erasure leaves a marker in the bucket; before it has come so far, its run is open.
 */
import { inTransaction } from '../../src/db/pool.ts';
import { buryAgain, type Deletion, standingsOf } from '../../src/db/reconciliation.ts';
import { deletionMarkers } from '../deletion-marker.ts';
import { batches } from './batches.ts';
import type { Found, Scene } from './finding.ts';

const kind = 'deletion-forgotten';

/** A run does not know the owner: the row does. */
type Trace = Pick<Deletion, 'documentId' | 'deletedAt'> & Partial<Deletion>;

export async function* lookAtDeletions(scene: Scene): AsyncGenerator<Found, undefined> {
  for await (const traces of batches(allTraces(scene))) {
    const standings = await standingsOf(
      scene.pool,
      traces.map(({ documentId }) => documentId),
    );
    for (const trace of traces) {
      const { documentId, deletedAt } = trace;
      const standing = standings.get(documentId);
      const ownerId = trace.ownerId ?? standing?.ownerId;
      if (ownerId === undefined || standing?.deletedAt) continue;
      // A row that is younger than the deletion is another document under the same id.
      if (standing && standing.createdAt >= deletedAt) continue;
      const deletion = { documentId, ownerId, deletedAt };
      const heal = () => inTransaction(scene.pool, (tx) => buryAgain(tx, deletion));
      yield { kind, id: documentId, since: deletedAt, heal };
    }
  }
  return undefined;
}

async function* allTraces(scene: Scene): AsyncGenerator<Trace> {
  yield* deletionMarkers(scene, scene.signal);
  for await (const { documentId, startedAt } of scene.runs.openRuns('erase')) {
    yield { documentId, deletedAt: startedAt };
  }
}
