/**
 * A deletion as the bucket remembers it: an empty object whose name says which document, whose, and when. It outlives
 * every dump of the database and Temporal's retention. Ids and an instant only, as in the tombstone row.
 */
import type { Deletion } from '../src/db/reconciliation.ts';
import { type DocumentId, type OwnerId, parseId } from '../src/domain/ids.ts';
import type { ActivityDependencies } from './dependencies.ts';

type Store = Pick<ActivityDependencies, 'objectStore'>;

/** Flat, so that all of them are one listing. */
const PREFIX = 'tombstones/';

export async function leaveDeletionMarker(
  { objectStore }: Store,
  { documentId, ownerId, deletedAt }: Deletion,
  signal: AbortSignal,
): Promise<void> {
  const key = `${PREFIX}${documentId}.${ownerId}.${deletedAt.getTime()}`;
  await objectStore.put(key, new Uint8Array(), { contentType: 'text/plain', signal });
}

export async function* deletionMarkers(
  { objectStore }: Store,
  signal: AbortSignal,
): AsyncGenerator<Deletion> {
  for await (const { name } of objectStore.entries(PREFIX, signal)) {
    const [document = '', owner = '', at] = name.split('.');
    const documentId = parseId<DocumentId>(document);
    const ownerId = parseId<OwnerId>(owner);
    const deletedAt = new Date(Number(at));
    if (documentId && ownerId && Number.isFinite(deletedAt.getTime())) {
      yield { documentId, ownerId, deletedAt };
    }
  }
}
