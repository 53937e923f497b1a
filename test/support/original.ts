/** An installation of the original system: its tables with rows in every status, and what lay in its bucket. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { deriveDocumentId } from '../../src/db/derive-id.ts';
import type { Queryable } from '../../src/db/pool.ts';
import type { DocumentId, OwnerId } from '../../src/domain/ids.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { sha256 } from './documents.ts';
import { wordEmbedder } from './word-embedder.ts';

const schema = new URL('../fixtures/original/schema.sql', import.meta.url);

export const originalStatuses = [
  'uploaded',
  'parse_queued',
  'parsed',
  'parse_validated',
  'chunking',
  'chunks_stored',
  'embedding_queued',
  'embedding_in_progress',
  'embeddings_stored',
  'complete',
  'failed_parse',
  'failed_chunking',
  'failed_embedding',
  'duplicate',
] as const;

export async function createOriginal(q: Queryable): Promise<void> {
  await q.query(await readFile(schema, 'utf8'));
}

export interface OldDocument {
  readonly id: DocumentId;
  readonly ownerId: OwnerId;
  readonly content: string;
  readonly rawKey: string;
  readonly parsedKey: string;
}

export interface OldRows {
  /** Its name, and what makes its content differ from the others'. */
  readonly word: string;
  /** `undefined`: the job was never written. */
  readonly status: string | null | undefined;
  /** `zeros` is what stood there between chunking and embedding. */
  readonly vectors?: 'real' | 'zeros' | 'none';
  readonly bytes?: 'there' | 'absent';
  readonly rawPath?: (key: string) => string;
  readonly parsedPath?: (key: string) => string;
  readonly hash?: (sha256: string) => string;
  readonly lastError?: unknown;
}

const model = wordEmbedder(1536, 'text-embedding-3-small');

export async function addOld(
  { q, objectStore }: { readonly q: Queryable; readonly objectStore: ObjectStore },
  ownerId: OwnerId,
  rows: OldRows,
): Promise<OldDocument> {
  const { word, status, vectors = 'none', bytes = 'there', lastError } = rows;
  const { rawPath = (key) => `files/${key}`, parsedPath = (key) => `storage://files/${key}` } =
    rows;
  const content = `# Policy ${word}\n\nThe copayment of ${word} is 20 dollars.\n`;
  const id = deriveDocumentId(ownerId, sha256(content), 1);
  const h = createHash('md5').update(id).digest('hex').slice(0, 8);
  const [rawKey, parsedKey] = [`user/${ownerId}/raw/${h}.md`, `user/${ownerId}/parsed/${h}.md`];
  const { hash = (same: string) => same } = rows;
  const parsedHash = vectors === 'none' ? null : sha256(content);
  await q.query(
    `insert into upload_pipeline.documents
       (document_id, user_id, filename, mime, bytes_len, file_sha256, parsed_sha256, raw_path, parsed_path)
     values ($1, $2, $3, 'text/markdown', $4, $5, $6, $7, $8)`,
    [
      id,
      ownerId,
      `${word}.md`,
      Buffer.byteLength(content),
      hash(sha256(content)),
      parsedHash,
      rawPath(rawKey),
      parsedHash && parsedPath(parsedKey),
    ],
  );
  if (status !== undefined) {
    await q.query(
      `insert into upload_pipeline.upload_jobs (job_id, document_id, state, status, last_error, webhook_secret)
       values (gen_random_uuid(), $1, 'queued', $2, $3, 'a secret')`,
      [id, status, JSON.stringify(lastError ?? null)],
    );
  }
  if (bytes === 'there') await store(objectStore, rawKey, content);
  if (vectors !== 'none') {
    await store(objectStore, parsedKey, content);
    await addChunks(q, id, { texts: content.trim().split('\n\n'), vectors });
  }
  return { id, ownerId, content, rawKey, parsedKey };
}

async function addChunks(
  q: Queryable,
  documentId: string,
  { texts, vectors }: { readonly texts: readonly string[]; readonly vectors: 'real' | 'zeros' },
): Promise<void> {
  const embedded = await model.embed(texts, AbortSignal.timeout(5_000));
  for (const [ord, text] of texts.entries()) {
    const vector = vectors === 'real' ? embedded[ord] : Array.from({ length: 1536 }, () => 0);
    await q.query(
      `insert into upload_pipeline.document_chunks
         (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha, embed_model, embed_version,
          vector_dim, embedding)
       values (gen_random_uuid(), $1, 'markdown-simple', '1', $2, $3, $4, $5, '1', 1536, $6)`,
      [documentId, ord, text, sha256(text), model.model, JSON.stringify(vector)],
    );
  }
}

function store(objectStore: ObjectStore, key: string, text: string): Promise<void> {
  return objectStore.put(key, Buffer.from(text), { contentType: 'text/markdown' });
}

/** As the original's retrieval asks, without its threshold. */
export async function retrieve(
  q: Queryable,
  user: OwnerId,
  question: string,
): Promise<readonly string[]> {
  const [vector] = await model.embed([question], AbortSignal.timeout(5_000));
  const { rows } = await q.query<{ content: string }>(
    `SELECT dc.text as content, 1 - (dc.embedding <=> $1::vector(1536)) as similarity
     FROM upload_pipeline.document_chunks dc
     JOIN upload_pipeline.documents d ON dc.document_id = d.document_id
     WHERE d.user_id = $2 AND dc.embedding IS NOT NULL AND 1 - (dc.embedding <=> $1::vector(1536)) > 0.25
     ORDER BY dc.embedding <=> $1::vector(1536) LIMIT 5`,
    [JSON.stringify(vector), user],
  );
  return rows.map(({ content }) => content);
}

/** Everything in these tables, as one value that changes when anything does. */
export async function fingerprint(q: Queryable, schemaName: string): Promise<string> {
  const { rows: tables } = await q.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = $1 order by 1`,
    [schemaName],
  );
  const hash = createHash('sha256');
  for (const { name } of tables) {
    const { rows } = await q.query<{ row: string }>(
      `select t::text as row from ${schemaName}.${name} t order by 1`,
    );
    hash.update(`${name}\n${rows.map(({ row }) => row).join('\n')}\n`);
  }
  return hash.digest('hex');
}
