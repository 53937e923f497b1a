/** The original system's readers over schema `upload_pipeline`: its retrieval as it was, and the shape of its relations. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOwner, inTransaction, type Pool, type Queryable } from '../../src/db/pool.ts';
import type { OwnerId } from '../../src/domain/ids.ts';
import { addBulk, withoutIndex } from '../support/bulk.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explain, relationAccesses } from '../support/explain.ts';
import {
  addDocument,
  addLiveDocument,
  chunksOf,
  embedMissing,
  generationOf,
  newOwner,
  storeChunksOf,
} from '../support/library.ts';
import { wordEmbedder } from '../support/word-embedder.ts';

/** As the original's retrieval asks: $1 the question's vector as text, $2 user, $3 threshold, $4 limit. */
const RETRIEVAL = `
  SELECT dc.chunk_id, dc.document_id, dc.chunk_ord as chunk_index, dc.text as content,
         NULL as section_path, NULL as section_title,
         NULL as page_start, NULL as page_end,
         NULL as tokens,
         1 - (dc.embedding <=> $1::vector(1536)) as similarity
  FROM upload_pipeline.document_chunks dc
  JOIN upload_pipeline.documents d ON dc.document_id = d.document_id
  WHERE d.user_id = $2
    AND dc.embedding IS NOT NULL
    AND 1 - (dc.embedding <=> $1::vector(1536)) > $3
  ORDER BY dc.embedding <=> $1::vector(1536)
  LIMIT $4`;

const wide = wordEmbedder(1536, 'text-embedding-3-small');
const narrow = wordEmbedder(384);
const [alice, bob] = [newOwner(), newOwner()];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
  await withoutIndex(pool, 'intake.vectors_1536_nearest', async () => {
    for (let count = 0; count < 20; count += 1)
      await addBulk(pool, {
        ownerId: newOwner(),
        embedder: wide,
        documents: 1,
        chunksPerDocument: 100,
      });
  });
  const add = (ownerId: OwnerId, texts: readonly string[]) =>
    addLiveDocument(pool, { ownerId, embedder: wide }, texts);
  const hers = await add(alice, ['my copayment is 20 dollars', 'dental care']);
  await add(bob, ['my copayment is 35 dollars', 'eye care']);
  await addLiveDocument(pool, { ownerId: alice, embedder: narrow }, ['my copayment, narrow']);
  // Neither a document's first generation nor its next may be seen before it is live.
  for (const document of [await addDocument(pool, alice), hers]) {
    const generation = generationOf(document, wide, { content: 'next' });
    await storeChunksOf(pool, generation, chunksOf(['my copayment, unfinished']));
    await embedMissing(pool, generation, wide);
  }
  await pool.query('analyze');
});
afterAll(() => database.close());

async function parameters(user: OwnerId, threshold = 0.25, limit = 5): Promise<unknown[]> {
  const [vector = []] = await wide.embed(['my copayment'], AbortSignal.timeout(5_000));
  return [`[${vector.join(',')}]`, user, threshold, limit];
}

async function retrieve(q: Queryable, user: OwnerId): Promise<readonly string[]> {
  const { rows } = await q.query<{ content: string }>(RETRIEVAL, await parameters(user));
  return rows.map(({ content }) => content);
}

describe('the original’s retrieval', () => {
  it('finds each user’s own live chunks, under the user’s rights and under the service’s', async () => {
    for (const [user, text] of [
      [alice, 'my copayment is 20 dollars'],
      [bob, 'my copayment is 35 dollars'],
    ] as const) {
      const asUser = await asOwner(pool, user, (transaction) => retrieve(transaction, user));
      expect(asUser).toEqual([text]);
      const asService = await inTransaction(pool, async (transaction) => {
        await transaction.query('set local role service_role');
        return retrieve(transaction, user);
      });
      expect(asService).toEqual([text]);
    }
  });

  it('finds nothing of another user, whatever user it asks for', async () => {
    expect(await asOwner(pool, alice, (transaction) => retrieve(transaction, bob))).toEqual([]);
  });

  it('gives the columns and types that the reader takes apart', async () => {
    const { rows } = await pool.query(RETRIEVAL, await parameters(alice));
    expect(rows[0]).toEqual({
      chunk_id: expect.any(String),
      document_id: expect.any(String),
      chunk_index: 0,
      content: 'my copayment is 20 dollars',
      section_path: null,
      section_title: null,
      page_start: null,
      page_end: null,
      tokens: null,
      similarity: expect.any(Number),
    });
  });

  it.each(['authenticated', 'service_role'])(
    'reads the user’s vectors by an index as %s',
    async (role) => {
      const accesses = await asOwner(pool, alice, async (transaction) => {
        await transaction.query('reset role');
        await transaction.query(`set local role ${role}`);
        return relationAccesses(await explain(transaction, RETRIEVAL, await parameters(alice)));
      });
      const vectors = accesses.filter((access) => access.startsWith('vectors_1536'));
      expect(vectors).toEqual(['vectors_1536 by vectors_1536_by_document']);
    },
  );
});

describe('schema upload_pipeline', () => {
  it.each([
    [
      'documents',
      'document_id uuid, user_id uuid, filename text, mime text, bytes_len bigint, file_sha256 text, ' +
        'parsed_sha256 text, raw_path text, parsed_path text, processing_status text, ' +
        'created_at timestamp with time zone, updated_at timestamp with time zone',
    ],
    [
      'upload_jobs',
      'job_id uuid, document_id uuid, state text, retry_count integer, last_error jsonb, ' +
        'created_at timestamp with time zone, updated_at timestamp with time zone, status text, progress jsonb, ' +
        'webhook_secret text, chunks_version text, embed_model text, embed_version text',
    ],
    [
      'document_chunks',
      'chunk_id uuid, document_id uuid, chunker_name text, chunker_version text, chunk_ord integer, text text, ' +
        'chunk_sha text, embed_model text, embed_version text, vector_dim integer, embedding vector(1536), ' +
        'embed_updated_at timestamp with time zone, created_at timestamp with time zone, ' +
        'updated_at timestamp with time zone',
    ],
  ])('has the original’s columns in %s', async (view, columns) => {
    const { rows } = await pool.query<{ columns: string }>(
      `select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) as columns
       from pg_attribute where attrelid = ('upload_pipeline.' || $1)::regclass and attnum > 0`,
      [view],
    );
    expect(rows[0]?.columns).toBe(columns);
  });

  it('shows documents and jobs in the original’s words, without secrets and causes', async () => {
    const user = newOwner();
    const done = await addLiveDocument(pool, { ownerId: user, embedder: wide }, ['a', 'b']);
    const failed = await addDocument(pool, user, 'broken.pdf');
    await pool.query(
      `update intake.attempts set status = 'failed_embedding', error_code = 'EMBEDDER_FORBIDDEN', error_detail = 'cause'
       where id = $1`,
      [failed.attemptId],
    );
    const read = (text: string) =>
      asOwner(pool, user, async (transaction) => (await transaction.query(text)).rows);
    const documents = await read('select * from upload_pipeline.documents order by filename');
    expect(documents).toMatchObject([
      { document_id: failed.id, filename: 'broken.pdf', processing_status: 'failed_embedding' },
      {
        document_id: done.id,
        user_id: user,
        filename: 'policy.pdf',
        mime: 'application/pdf',
        bytes_len: '1000',
        raw_path: `files/originals/${done.id}`,
        parsed_path: `storage://files/parsed/${done.id}.md`,
        processing_status: 'complete',
      },
    ]);
    const jobs = await read('select * from upload_pipeline.upload_jobs order by state');
    expect(jobs).toMatchObject([
      {
        job_id: failed.attemptId,
        state: 'deadletter',
        retry_count: 0,
        last_error: { code: 'EMBEDDER_FORBIDDEN' },
        webhook_secret: null,
      },
      {
        job_id: done.attemptId,
        state: 'done',
        last_error: null,
        chunks_version: 'markdown-blocks@1',
        embed_model: 'text-embedding-3-small',
      },
    ]);
    expect(JSON.stringify(jobs)).not.toContain('cause');
  });
});

describe('the views’ migration', () => {
  it('stops and names the take-over where the original’s tables stand in their place', async () => {
    const migration = readFileSync(
      'supabase/migrations/20261124000003_upload_pipeline_views.sql',
      'utf8',
    );
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query(`
      begin;
      drop schema upload_pipeline cascade;
      create schema upload_pipeline;
      create table upload_pipeline.documents (document_id uuid primary key);
      create table upload_pipeline.upload_jobs (job_id uuid primary key)`);
    await expect(client.query(migration)).rejects.toMatchObject({
      message: expect.stringMatching(/^take-over needed: .*(documents, upload_jobs)/),
      hint: expect.stringContaining('alter schema upload_pipeline rename'),
    });
    await client.query('rollback');
    await client.end();
  });
});
