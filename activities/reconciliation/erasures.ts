/** Database to Temporal: tombstones that nobody erases. Those that were never started are the outbox sweep's. */
import { stampErasure } from '../../src/db/outbox.ts';
import { unerasedTombstones } from '../../src/db/reconciliation.ts';
import type { Found, Scene } from './finding.ts';
import { graceBegins } from './grace.ts';

const kind = 'erasure-without-run';
const PAGE = 100;

export async function* lookAtErasures(
  scene: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const { pool, runs } = scene;
  const before = graceBegins(kind, scene);
  const page = await unerasedTombstones(pool, { after: cursor, limit: PAGE, before });
  for (const { documentId, deletedAt } of page) {
    if (await runs.isErasing(documentId)) continue;
    const heal = async () => stampErasure(pool, documentId, await runs.erase(documentId));
    yield { kind, id: documentId, since: deletedAt, heal };
  }
  return page.length < PAGE ? undefined : page.at(-1)?.documentId;
}
