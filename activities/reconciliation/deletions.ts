/**
 * Storage and Temporal to database: documents that were deleted after the dump from which the database was restored.
 * Erasure leaves a marker in the bucket; before it has come so far, its run is open.
 */
import { eraseContent } from '../../src/db/erasure.ts';
import { inTransaction } from '../../src/db/pool.ts';
import { buryAgain, type Deletion, standingsOf } from '../../src/db/reconciliation.ts';
import type { DocumentId } from '../../src/domain/ids.ts';
import { deletionMarkers } from '../deletion-marker.ts';
import { batches } from './batches.ts';
import type { Found, Scene } from './finding.ts';

const kind = 'deletion-forgotten';

/** A run does not know the owner: the row does. */
type Trace = Pick<Deletion, 'documentId' | 'deletedAt'> & Partial<Deletion>;

export async function* lookAtDeletions(scene: Scene): AsyncGenerator<Found, undefined> {
  // Marker and run may tell of the same deletion.
  const told = new Set<DocumentId>();
  for await (const traces of batches(allTraces(scene))) {
    const standings = await standingsOf(
      scene.pool,
      traces.map(({ documentId }) => documentId),
    );
    for (const trace of traces) {
      const { documentId, deletedAt } = trace;
      const standing = standings.get(documentId);
      const ownerId = trace.ownerId ?? standing?.ownerId;
      if (ownerId === undefined || standing?.deletedAt || told.has(documentId)) continue;
      // A row that is younger than the deletion is another document under the same id.
      if (standing && standing.createdAt >= deletedAt) continue;
      told.add(documentId);
      const deletion = { documentId, ownerId, deletedAt };
      const heal = () => bury(scene, deletion);
      yield { kind, id: documentId, since: deletedAt, heal };
    }
  }
  return undefined;
}

/** Its chunks go with it: an erasure that is still open has its first sweep behind it, and the last one is hours away. */
async function bury({ pool }: Scene, deletion: Deletion): Promise<void> {
  await inTransaction(pool, async (transaction) => {
    await buryAgain(transaction, deletion);
    await eraseContent(transaction, deletion.documentId);
  });
}

async function* allTraces(scene: Scene): AsyncGenerator<Trace> {
  yield* deletionMarkers(scene, scene.signal);
  for await (const { documentId, startedAt } of scene.runs.openRuns('erase')) {
    yield { documentId, deletedAt: startedAt };
  }
}
