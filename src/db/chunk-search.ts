/**
 * The statements of search: what of an owner is live, which chunks are near a vector, which hold rare words of a
 * question, and what they say. They run inside `asOwner`, so row-level security stands behind each of them.
 */
import type { ChunkId, DocumentId, GenerationId, OwnerId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';
import { vectorLiteral, vectorTable } from './vectors.ts';

/** The searchable set of chunks of one document. */
export interface LiveGeneration {
  readonly documentId: DocumentId;
  readonly generationId: GenerationId;
  readonly embeddingModel: string;
  readonly dimensions: number;
  readonly chunkCount: number;
  readonly textSearchConfig: string;
}

/** Live generations of the owner's documents that are not deleted; of `documentIds` only, when given. */
export async function liveGenerations(
  q: Queryable,
  ownerId: OwnerId,
  documentIds: readonly DocumentId[] | undefined,
): Promise<readonly LiveGeneration[]> {
  const { rows } = await q.query<{
    document_id: DocumentId;
    generation_id: GenerationId;
    embedding_model: string;
    dimensions: number;
    chunk_count: number;
    text_search_config: string;
  }>(
    `select d.id as document_id, g.id as generation_id, g.embedding_model, g.dimensions, g.chunk_count,
            first.text_search_config
     from intake.documents d
     join intake.generations g on g.document_id = d.id and g.id = d.live_generation_id
     join intake.chunks first on first.generation_id = g.id and first.ordinal = 0
     where d.owner_id = $1 and d.deleted_at is null and ($2::uuid[] is null or d.id = any($2))`,
    [ownerId, documentIds ?? null],
  );
  return rows.map((row) => ({
    documentId: row.document_id,
    generationId: row.generation_id,
    embeddingModel: row.embedding_model,
    dimensions: row.dimensions,
    chunkCount: row.chunk_count,
    textSearchConfig: row.text_search_config,
  }));
}

export interface VectorQuestion {
  readonly vector: readonly number[];
  readonly generations: readonly LiveGeneration[];
  readonly limit: number;
}

/** Exact: reads every vector of these generations by (document, generation), nearest first. */
export async function nearestExactly(
  q: Queryable,
  { vector, generations, limit }: VectorQuestion,
): Promise<readonly ChunkId[]> {
  const { rows } = await q.query<{ chunk_id: ChunkId }>(
    `with mine as materialized (
       select v.chunk_id, v.embedding <=> $1::vector as distance
       from unnest($2::uuid[], $3::uuid[]) as live (document_id, generation_id)
       join ${vectorTable(vector.length)} v
         on v.document_id = live.document_id and v.generation_id = live.generation_id)
     select chunk_id from mine where distance <> 'NaN' order by distance, chunk_id limit $4`,
    [
      vectorLiteral(vector),
      generations.map(({ documentId }) => documentId),
      generations.map(({ generationId }) => generationId),
      limit,
    ],
  );
  return rows.map((row) => row.chunk_id);
}

/**
 * By the HNSW index over all owners, read on until enough of its rows are ours. Gives fewer than asked when the scan
 * comes to its own limit first. The settings last as long as the transaction.
 */
export async function nearestByIndex(
  q: Queryable,
  { vector, generations, limit }: VectorQuestion,
): Promise<readonly ChunkId[]> {
  // The planner misjudges both sides: vectors out of line make a scan look cheap, and the filter makes the index look dear.
  await q.query(
    `select set_config('random_page_cost', '1.1', true), set_config('enable_sort', 'off', true),
            set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', $1, true)`,
    [String(Math.min(1000, 2 * limit))],
  );
  const { rows } = await q.query<{ chunk_id: ChunkId; distance: number }>(
    `select v.chunk_id, v.embedding <=> $1::vector as distance
     from ${vectorTable(vector.length)} v
     where v.generation_id = any($2)
     order by v.embedding <=> $1::vector
     limit $3`,
    [vectorLiteral(vector), generations.map(({ generationId }) => generationId), limit],
  );
  return rows
    .filter(({ distance }) => !Number.isNaN(distance))
    .sort((a, b) => a.distance - b.distance || compareIds(a.chunk_id, b.chunk_id))
    .map((row) => row.chunk_id);
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export interface KeywordQuestion {
  readonly ownerId: OwnerId;
  readonly query: string;
  readonly generations: readonly LiveGeneration[];
  readonly limit: number;
}

/** BM25: how soon repeating a word stops to count, and how much the length of a chunk takes away. */
const K1 = 1.2;
const B = 0.75;

/**
 * Chunks that hold any word of the question, by BM25 with the rarity of words among the given generations. A question
 * of stop words only has no lexemes and finds nothing.
 */
export async function matchingWords(
  q: Queryable,
  { ownerId, query, generations, limit }: KeywordQuestion,
): Promise<readonly ChunkId[]> {
  const { rows } = await q.query<{ id: ChunkId }>(
    `with live as (
       select * from unnest($1::uuid[], $2::text[]) as live (generation_id, config)),
     asked as (
       select c.config, unnest(tsvector_to_array(to_tsvector(c.config::regconfig, $3))) as lexeme
       from (select distinct config from live) c),
     found as (
       select t.generation_id, t.ordinals, t.occurrences, t.lengths,
              sum(cardinality(t.ordinals)) over (partition by t.lexeme)::float8 as chunks
       from live join asked on asked.config = live.config
       join intake.generation_terms t
         on t.owner_id = $4 and t.lexeme = asked.lexeme and t.generation_id = live.generation_id),
     weighed as materialized (
       select *, ln(1 + ($5 - chunks + 0.5) / (chunks + 0.5)) as rarity from found),
     average as materialized (
       select avg(l.length)::float8 as length from weighed w cross join lateral unnest(w.lengths) as l (length)),
     ranked as (
       select w.generation_id, p.ordinal,
              sum(w.rarity * p.occurrences * ($6::float8 + 1)
                  / (p.occurrences + $6 * (1 - $7::float8 + $7 * p.length / (select length from average)))) as score
       from weighed w
       cross join lateral unnest(w.ordinals, w.occurrences, w.lengths) as p (ordinal, occurrences, length)
       group by w.generation_id, p.ordinal
       order by score desc, w.generation_id, p.ordinal
       limit $8)
     select c.id
     from ranked r join intake.chunks c on c.generation_id = r.generation_id and c.ordinal = r.ordinal
     order by r.score desc, r.generation_id, r.ordinal`,
    [
      generations.map(({ generationId }) => generationId),
      generations.map(({ textSearchConfig }) => textSearchConfig),
      query,
      ownerId,
      generations.reduce((sum, { chunkCount }) => sum + chunkCount, 0),
      K1,
      B,
      limit,
    ],
  );
  return rows.map((row) => row.id);
}
