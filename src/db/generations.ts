/** Generations: one set of chunks each, of which at most one per document is live. */
import type { Chunk } from '../domain/chunk.ts';
import { IntakeError } from '../domain/errors.ts';
import type { DocumentId, GenerationId, VersionId } from '../domain/ids.ts';
import { type ChunkOwner, storeChunks } from './chunks.ts';
import type { GenerationIdentity } from './derive-id.ts';
import type { Queryable } from './pool.ts';
import { vectorTable } from './vectors.ts';

export interface NewGeneration extends ChunkOwner, GenerationIdentity {
  readonly versionId: VersionId;
}

/** Stores a generation whole. A repeat finds its own rows; a rival waits for the first to commit and does the same. */
export async function storeGeneration(
  transaction: Queryable,
  generation: NewGeneration,
  chunks: readonly Chunk[],
): Promise<void> {
  await transaction.query(
    `insert into intake.generations
       (id, document_id, owner_id, version_id, markdown_sha256, chunker, tokenizer, max_tokens, embedding_model,
        dimensions, chunk_count)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (id) do nothing`,
    [
      generation.id,
      generation.documentId,
      generation.ownerId,
      generation.versionId,
      generation.markdownSha256,
      generation.chunker,
      generation.tokenizer,
      generation.maxTokens,
      generation.embeddingModel,
      generation.dimensions,
      chunks.length,
    ],
  );
  await storeChunks(transaction, generation, chunks);
  await storeTerms(transaction, generation.id);
}

/** Turns the lexemes of all chunks round: for each lexeme the chunks that hold it, the same chunk at the same place of each array. */
async function storeTerms(transaction: Queryable, generationId: GenerationId): Promise<void> {
  await transaction.query(
    `insert into intake.generation_terms (owner_id, lexeme, generation_id, ordinals, occurrences, lengths)
     select c.owner_id, word.lexeme, c.generation_id,
            array_agg(c.ordinal), array_agg(cardinality(word.positions)), array_agg(whole.length)
     from intake.chunks c
     cross join lateral (select sum(cardinality(w.positions))::int as length from unnest(c.lexemes) w) whole
     cross join lateral unnest(c.lexemes) word
     where c.generation_id = $1
     group by c.owner_id, word.lexeme, c.generation_id
     on conflict (owner_id, lexeme, generation_id) do nothing`,
    [generationId],
  );
}

/** Chunks of a generation; 0 when it is not stored. */
export async function chunkCount(q: Queryable, generationId: GenerationId): Promise<number> {
  const { rows } = await q.query<{ chunk_count: number }>(
    'select chunk_count from intake.generations where id = $1',
    [generationId],
  );
  return rows[0]?.chunk_count ?? 0;
}

export interface Proof {
  readonly chunks: number;
  readonly vectors: number;
  /** Pairs of chunk and lexeme that keyword search can find. */
  readonly postings: number;
}

/** Reads back what search will read, before it may. Throws `EMBEDDINGS_UNPROVEN` with the counts. */
export async function proveGeneration(
  transaction: Queryable,
  generationId: GenerationId,
): Promise<Proof> {
  const { rows } = await transaction.query<GenerationRow>(
    'select document_id, dimensions, chunk_count from intake.generations where id = $1',
    [generationId],
  );
  const generation = rows[0];
  if (!generation) throw new IntakeError('EMBEDDINGS_UNPROVEN', { detail: 'no generation' });
  const counts = await countGeneration(transaction, generationId, generation);
  const whole =
    counts.chunks === generation.chunk_count &&
    counts.vectors === counts.chunks &&
    counts.postings === counts.lexemes;
  if (!whole) throw unproven({ expected: generation.chunk_count, ...counts });
  const samples = sampleOrdinals(counts.chunks);
  const found = await samplesFound(transaction, generationId, { ...generation, samples });
  if (found !== samples.length) throw unproven({ samples: samples.length, found });
  return { chunks: counts.chunks, vectors: counts.vectors, postings: counts.postings };
}

interface GenerationRow {
  document_id: DocumentId;
  dimensions: number;
  chunk_count: number;
}

function unproven(counts: Readonly<Record<string, number>>): IntakeError {
  const detail = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return new IntakeError('EMBEDDINGS_UNPROVEN', { detail: detail.join(', ') });
}

/** Counts a vector only when it is its chunk's, of the right width and not zero; NaN passes no comparison. */
async function countGeneration(
  transaction: Queryable,
  generationId: GenerationId,
  { document_id, dimensions }: GenerationRow,
): Promise<{ chunks: number; vectors: number; lexemes: number; postings: number }> {
  const { rows } = await transaction.query<{
    chunks: number;
    vectors: number;
    lexemes: number;
    postings: number;
  }>(
    `select count(*)::int as chunks,
            count(*) filter (where vector_dims(v.embedding) = $3 and vector_norm(v.embedding) > 0)::int as vectors,
            coalesce(sum(length(c.lexemes)), 0)::int as lexemes,
            (select coalesce(sum(cardinality(t.ordinals)), 0)::int
             from intake.generation_terms t where t.generation_id = $1) as postings
     from intake.chunks c
     left join ${vectorTable(dimensions)} v
       on v.chunk_id = c.id and v.generation_id = c.generation_id and v.document_id = c.document_id
       and v.owner_id = c.owner_id
     where c.document_id = $2 and c.generation_id = $1`,
    [generationId, document_id, dimensions],
  );
  const counts = rows[0];
  if (!counts) throw new IntakeError('EMBEDDINGS_UNPROVEN', { detail: 'no count' });
  return counts;
}

/** First, middle and last. */
function sampleOrdinals(chunks: number): readonly number[] {
  return [...new Set([0, Math.floor(chunks / 2), chunks - 1])];
}

/** Equal texts have equal vectors, and rounding may put one of them a hair nearer than the chunk itself. */
const SELF_DISTANCE_TOLERANCE = 1e-6;

/** How many of the samples are the nearest to themselves, read over the index that search reads. */
async function samplesFound(
  transaction: Queryable,
  generationId: GenerationId,
  { document_id, dimensions, samples }: GenerationRow & { readonly samples: readonly number[] },
): Promise<number> {
  const table = vectorTable(dimensions);
  const { rows } = await transaction.query<{ found: number }>(
    `select count(*)::int as found
     from intake.chunks c
     join ${table} own on own.chunk_id = c.id
     cross join lateral (
       select min(v.embedding <=> own.embedding) as distance from ${table} v
       where v.document_id = $2 and v.generation_id = $1) nearest
     where c.generation_id = $1 and c.ordinal = any($3)
       and (own.embedding <=> own.embedding) <= nearest.distance + $4::float8`,
    [generationId, document_id, samples, SELF_DISTANCE_TOLERANCE],
  );
  return rows[0]?.found ?? 0;
}

/** Chunks, terms and vectors that cannot be proven are worth nothing. What is live was proven, and stays. */
export async function discardUnproven(
  transaction: Queryable,
  generationId: GenerationId,
): Promise<void> {
  await transaction.query(
    `delete from intake.generations g where g.id = $1
       and not exists (select from intake.documents d where d.id = g.document_id and d.live_generation_id = g.id)`,
    [generationId],
  );
}

/** From its commit on, search reads this generation and no other of the document. */
export async function makeLive(
  transaction: Queryable,
  documentId: DocumentId,
  generationId: GenerationId,
): Promise<void> {
  const [live] = await Promise.all([
    transaction.query(
      `update intake.documents set live_generation_id = $2, updated_at = now() where id = $1 and deleted_at is null`,
      [documentId, generationId],
    ),
    transaction.query(
      'update intake.generations set completed_at = coalesce(completed_at, now()) where id = $1',
      [generationId],
    ),
    removeSuperseded(transaction, documentId, generationId),
  ]);
  if (live.rowCount === 0) throw new IntakeError('DOCUMENT_DELETED');
}

/** One switch clears no more than this; what is left goes with the next. */
const SUPERSEDED_PER_SWITCH = 10;

/** Chunks, terms and vectors go with their generation. */
async function removeSuperseded(
  transaction: Queryable,
  documentId: DocumentId,
  liveId: GenerationId,
): Promise<void> {
  await transaction.query(
    `delete from intake.generations where id in (
       select id from intake.generations where document_id = $1 and id <> $2 order by created_at limit $3)`,
    [documentId, liveId, SUPERSEDED_PER_SWITCH],
  );
}
