/** How search reads its tables when they have some size: never every owner's rows, and always enough of the owner's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../../src/db/pool.ts';
import type { OwnerId } from '../../src/domain/ids.ts';
import { createSearch } from '../../src/search/hybrid-search.ts';
import { addBulk, withoutIndex } from '../support/bulk.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explainingPool } from '../support/explain.ts';
import { newOwner } from '../support/library.ts';
import { wordEmbedder } from '../support/word-embedder.ts';

const embedder = wordEmbedder(384);
/** The default of VECTOR_INDEX_FROM_CHUNKS. */
const THRESHOLD = 10_000;

const big = newOwner();
const small = newOwner();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  await withoutIndex(pool, 'intake.vectors_384_nearest', async () => {
    await addBulk(pool, { ownerId: big, embedder, documents: 21, chunksPerDocument: 500 });
    await addBulk(pool, { ownerId: small, embedder, documents: 2, chunksPerDocument: 50 });
  });
}, 120_000);
afterAll(() => database.close());

/** Of stop words only: vectors alone answer it. */
const WORDLESS = { query: 'what is it', k: 40 };

async function searchExplained(
  ownerId: OwnerId,
  vectorIndexFromChunks: number,
  question = { query: 'passage 17', k: 5 },
) {
  const explaining = explainingPool(database.pool);
  const search = createSearch({ pool: explaining.pool, embedder, vectorIndexFromChunks });
  const passages = await search(ownerId, question, AbortSignal.timeout(30_000));
  return { passages, accesses: explaining.accesses() };
}

describe('vectors', () => {
  it('are read exactly, by document and generation, below the threshold', async () => {
    const { accesses } = await searchExplained(small, THRESHOLD);
    expect(accesses).toContain('vectors_384 by vectors_384_by_document');
    expect(accesses).not.toContain('vectors_384 by scan');
    expect(accesses).not.toContain('vectors_384 by vectors_384_nearest');
  });

  it('are read by the HNSW index above it', async () => {
    const { accesses, passages } = await searchExplained(big, THRESHOLD);
    expect(accesses).toContain('vectors_384 by vectors_384_nearest');
    expect(accesses).not.toContain('vectors_384 by vectors_384_by_document');
    expect(passages).toHaveLength(5);
  });

  it('are enough of the owner’s own even for one with 1 % of the rows', async () => {
    const { accesses, passages } = await searchExplained(small, 0, WORDLESS);
    expect(accesses).toContain('vectors_384 by vectors_384_nearest');
    expect(accesses).not.toContain('vectors_384 by vectors_384_by_document');
    const { rows } = await database.pool.query(
      'select distinct owner_id from intake.chunks where id = any($1)',
      [passages.map(({ chunkId }) => chunkId)],
    );
    expect(rows).toEqual([{ owner_id: small }]);
    expect(passages).toHaveLength(40);
  });

  it('are read exactly when the index scan gives up before it has enough', async () => {
    const { pool } = database;
    const { rows } = await pool.query('select current_database() as name');
    const name: string = rows[0].name;
    await pool.query(`alter database ${name} set hnsw.max_scan_tuples = 1`);
    const impatient = createPool({
      connectionString: database.url,
      size: 1,
      onIdleError: () => undefined,
    });
    const search = createSearch({ pool: impatient, embedder, vectorIndexFromChunks: 0 });
    const passages = await search(small, WORDLESS, AbortSignal.timeout(30_000));
    expect(passages).toHaveLength(40);
    await impatient.end();
    await pool.query(`alter database ${name} reset hnsw.max_scan_tuples`);
  });
});

describe('keywords', () => {
  it('are looked up in the owner’s terms, and only the found chunks are read', async () => {
    const { accesses, passages } = await searchExplained(big, THRESHOLD, {
      query: 'passage 17',
      k: 100,
    });
    expect(accesses).toContain('generation_terms by generation_terms_pkey');
    expect(accesses).not.toContain('chunks by scan');
    const best = passages.find(({ keywordRank }) => keywordRank === 1);
    expect(best?.text).toMatch(/passage 17 of/);
  });
});
