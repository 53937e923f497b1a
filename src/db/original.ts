/**
 * The tables of the original system, wherever they stand: in their old place while it runs, aside once Intake has taken
 * over. They are only read, locked and renamed here, and emptied of a document that was deleted.
 */
import pg from 'pg';
import { IntakeError } from '../domain/errors.ts';
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import { databaseError, type Queryable } from './pool.ts';

/** Where readers look: the original's tables, and from the cut-over on Intake's views. */
const PLACE = 'upload_pipeline';
/** The original's tables after the cut-over. */
const ASIDE = 'upload_pipeline_original';
/** Intake's views after a roll-back. */
const PARKED = 'upload_pipeline_intake';

/** The only names that enter a statement as text. */
export type OriginalSchema = typeof PLACE | typeof ASIDE;

export async function findOriginal(q: Queryable): Promise<OriginalSchema | undefined> {
  if (await hasTables(q, PLACE)) return PLACE;
  return (await hasTables(q, ASIDE)) ? ASIDE : undefined;
}

async function hasTables(q: Queryable, schema: OriginalSchema): Promise<boolean> {
  const { rows } = await q.query<{ found: boolean }>(
    `select exists (
       select from pg_class where oid = to_regclass($1 || '.documents') and relkind in ('r', 'p')) as found`,
    [schema],
  );
  return rows[0]?.found === true;
}

async function schemaExists(q: Queryable, schema: string): Promise<boolean> {
  const { rows } = await q.query<{ found: boolean }>(
    'select to_regnamespace($1) is not null as found',
    [schema],
  );
  return rows[0]?.found === true;
}

/** A document as the original left it, with the job that says most about it and its newest set of chunks. */
export interface OriginalDocument {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly parsedSha256: string | undefined;
  readonly rawPath: string;
  readonly parsedPath: string | undefined;
  readonly createdAt: Date;
  readonly job: OriginalJob | undefined;
  readonly chunks: OriginalChunks | undefined;
  /** Intake has it, alive or as a tombstone, or this owner's same content under another id. */
  readonly present: boolean;
}

export interface OriginalJob {
  readonly id: AttemptId;
  readonly status: string | undefined;
  readonly createdAt: Date;
  readonly endedAt: Date;
  /** In whatever shape; only codes are taken from it. */
  readonly lastError: string;
}

export interface OriginalChunks {
  readonly chunkerName: string;
  readonly chunkerVersion: string;
  readonly embeddingModel: string;
  /** Every chunk has text and a vector of this one model that is not all zeros. */
  readonly whole: boolean;
}

interface DocumentRow {
  document_id: DocumentId;
  user_id: OwnerId;
  filename: string;
  mime: string;
  bytes_len: string;
  file_sha256: string;
  parsed_sha256: string | null;
  raw_path: string;
  parsed_path: string | null;
  created_at: Date;
  job_id: AttemptId | null;
  status: string | null;
  job_created_at: Date;
  job_ended_at: Date;
  last_error: string;
  chunker_name: string | null;
  chunker_version: string;
  embed_model: string;
  whole: boolean;
  present: boolean;
}

/** Below every id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/** A page in the order of ids. A document is complete as soon as one of its jobs says so; else its newest job speaks. */
export async function originalDocuments(
  q: Queryable,
  schema: OriginalSchema,
  { after = FIRST, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly OriginalDocument[]> {
  const present = (await schemaExists(q, 'intake'))
    ? `exists (select from intake.documents n
               where n.id = d.document_id
                  or (n.owner_id = d.user_id and n.sha256 = lower(d.file_sha256) and n.deleted_at is null))`
    : 'false';
  const { rows } = await q.query<DocumentRow>(
    `select d.document_id, d.user_id, d.filename, d.mime, d.bytes_len, d.file_sha256, d.parsed_sha256, d.raw_path,
            d.parsed_path, coalesce(d.created_at, now()) as created_at,
            j.job_id, j.status, coalesce(j.created_at, now()) as job_created_at,
            coalesce(j.updated_at, j.created_at, now()) as job_ended_at, coalesce(j.last_error::text, '') as last_error,
            c.chunker_name, c.chunker_version, c.embed_model, c.whole, ${present} as present
     from ${schema}.documents d
     left join lateral (
       select * from ${schema}.upload_jobs j where j.document_id = d.document_id
       order by (j.status is not distinct from 'complete') desc, j.created_at desc nulls last, j.job_id limit 1) j on true
     left join lateral (
       select c.chunker_name, c.chunker_version, min(c.embed_model) as embed_model,
              bool_and(c.text <> '' and vector_norm(c.embedding) > 0) and count(distinct c.embed_model) = 1 as whole
       from ${schema}.document_chunks c where c.document_id = d.document_id
       group by c.chunker_name, c.chunker_version order by max(c.created_at) desc nulls last, 1, 2 limit 1) c on true
     where d.document_id > $1
     order by d.document_id limit $2`,
    [after, limit],
  );
  return rows.map(toDocument);
}

function toDocument(row: DocumentRow): OriginalDocument {
  return {
    documentId: row.document_id,
    ownerId: row.user_id,
    name: row.filename,
    mediaType: row.mime,
    sizeBytes: Number(row.bytes_len),
    sha256: row.file_sha256,
    parsedSha256: row.parsed_sha256 ?? undefined,
    rawPath: row.raw_path,
    parsedPath: row.parsed_path ?? undefined,
    createdAt: row.created_at,
    job: row.job_id === null ? undefined : toJob(row, row.job_id),
    chunks:
      row.chunker_name === null
        ? undefined
        : {
            chunkerName: row.chunker_name,
            chunkerVersion: row.chunker_version,
            embeddingModel: row.embed_model,
            whole: row.whole,
          },
    present: row.present,
  };
}

function toJob(row: DocumentRow, id: AttemptId): OriginalJob {
  return {
    id,
    status: row.status ?? undefined,
    createdAt: row.job_created_at,
    endedAt: row.job_ended_at,
    lastError: row.last_error,
  };
}

/** In their order. */
export async function chunkTexts(
  q: Queryable,
  schema: OriginalSchema,
  { documentId, chunks }: { readonly documentId: DocumentId; readonly chunks: OriginalChunks },
): Promise<readonly string[]> {
  const { rows } = await q.query<{ text: string }>(
    `select text from ${schema}.document_chunks
     where document_id = $1 and chunker_name = $2 and chunker_version = $3 order by chunk_ord`,
    [documentId, chunks.chunkerName, chunks.chunkerVersion],
  );
  return rows.map(({ text }) => text);
}

/** How long a writer in the middle of its work is waited for. */
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Holds the original's tables against writers while `work` runs, readers go on; then the tables step aside in the same
 * transaction, so that what was read is what there was. Views that an earlier roll-back parked come back with it.
 */
export async function moveAside(databaseUrl: string, work: () => Promise<void>): Promise<void> {
  await inOneTransaction(databaseUrl, async (client) => {
    const tables = ['documents', 'upload_jobs', 'document_chunks'].map(
      (name) => `${PLACE}.${name}`,
    );
    await client.query(`lock table ${tables.join(', ')} in share mode`).catch((cause: unknown) => {
      if (!isLockTimeout(cause)) throw cause;
      const detail =
        'somebody writes into the original’s tables: stop its API and its worker first';
      throw new IntakeError('UPGRADE_REFUSED', { detail, cause });
    });
    await work();
    await client.query(`alter schema ${PLACE} rename to ${ASIDE}`);
    if (await schemaExists(client, PARKED)) {
      await client.query(`alter schema ${PARKED} rename to ${PLACE}`);
    }
  });
}

/** The way back: Intake's views are parked, the original's tables stand where they stood. */
export async function moveBack(databaseUrl: string): Promise<void> {
  await inOneTransaction(databaseUrl, async (client) => {
    if ((await findOriginal(client)) !== ASIDE) {
      const detail = `there are no tables in schema ${ASIDE}: nothing was taken over, or it was gone back to already`;
      throw new IntakeError('UPGRADE_REFUSED', { detail });
    }
    if (await schemaExists(client, PLACE)) {
      await client.query(`alter schema ${PLACE} rename to ${PARKED}`);
    }
    await client.query(`alter schema ${ASIDE} rename to ${PLACE}`);
  });
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '55P03';
}

/** A connection of its own: the pool's end a transaction that idles. */
async function inOneTransaction(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: 0,
  });
  client.on('error', () => undefined); // told by the next statement
  try {
    await client.connect();
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } catch (error) {
    throw databaseError(error);
  } finally {
    await client.end();
  }
}

/** Everything that the original keeps of a document, once Intake has taken over: it would come back with a roll-back. */
export async function eraseFromOriginal(
  transaction: Queryable,
  documentId: DocumentId,
): Promise<void> {
  if (!(await hasTables(transaction, ASIDE))) return;
  const job = `job_id in (select job_id from ${ASIDE}.upload_jobs where document_id = $1)`;
  await transaction.query(`delete from ${ASIDE}.webhook_log where ${job}`, [documentId]);
  for (const table of ['events', 'document_chunks', 'upload_jobs', 'documents']) {
    await transaction.query(`delete from ${ASIDE}.${table} where document_id = $1`, [documentId]);
  }
}
