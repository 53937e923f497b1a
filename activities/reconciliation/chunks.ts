/** Within the database: chunks that outlived their document, as a dump that was loaded without its constraints leaves them. */
import { inTransaction } from '../../src/db/pool.ts';
import { documentsWithChunks, removeChunks, withoutDocument } from '../../src/db/reconciliation.ts';
import type { Found, Scene } from './finding.ts';

const kind = 'chunks-without-document';
const PAGE = 1_000;

export async function* lookAtChunks(
  { pool }: Scene,
  cursor: string | undefined,
): AsyncGenerator<Found, string | undefined> {
  const page = await documentsWithChunks(pool, { after: cursor, limit: PAGE });
  for (const documentId of await withoutDocument(pool, page)) {
    const heal = () => inTransaction(pool, (tx) => removeChunks(tx, documentId));
    yield { kind, id: documentId, since: new Date(), heal };
  }
  return page.length < PAGE ? undefined : page.at(-1);
}
