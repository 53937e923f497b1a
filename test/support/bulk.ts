/** Many searchable chunks at once, by SQL: the plan of a query shows itself only on tables of some size. */
import { makeLive } from '../../src/db/generations.ts';
import { inTransaction, type Pool } from '../../src/db/pool.ts';
import type { OwnerId } from '../../src/domain/ids.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { addDocument, chunksOf, generationOf, storeChunksOf } from './library.ts';

export interface BulkOptions {
  readonly ownerId: OwnerId;
  readonly embedder: Embedder;
  readonly documents: number;
  readonly chunksPerDocument: number;
}

/** Random vectors, and texts of which every one has its own number. */
export async function addBulk(pool: Pool, options: BulkOptions): Promise<void> {
  const { ownerId, embedder, documents, chunksPerDocument } = options;
  for (let count = 0; count < documents; count += 1) {
    const document = await addDocument(pool, ownerId, `bulk ${count}.pdf`);
    const generation = generationOf(document, embedder);
    const texts = Array.from(
      { length: chunksPerDocument },
      (_, ordinal) => `passage ${ordinal} of document ${count}`,
    );
    await storeChunksOf(pool, generation, chunksOf(texts));
    await pool.query(
      `insert into intake.vectors_${embedder.dimensions} (chunk_id, generation_id, document_id, owner_id, embedding)
       select c.id, c.generation_id, c.document_id, c.owner_id,
              (select array_agg(random() - 0.5) from generate_series(1, $2::int) where c.id is not null)::vector
       from intake.chunks c where c.generation_id = $1`,
      [generation.id, embedder.dimensions],
    );
    await inTransaction(pool, (transaction) => makeLive(transaction, document.id, generation.id));
  }
}

/** Filling an HNSW index row by row takes a minute; building it afterwards takes seconds. */
export async function withoutIndex(
  pool: Pool,
  index: string,
  work: () => Promise<void>,
): Promise<void> {
  const { rows } = await pool.query<{ definition: string }>(
    'select pg_get_indexdef($1::regclass) as definition',
    [index],
  );
  await pool.query(`drop index ${index}`);
  await work();
  await pool.query(rows[0]?.definition ?? '');
  await pool.query('analyze');
}
