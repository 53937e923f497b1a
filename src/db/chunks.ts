/** Chunks and their vectors. Ids are derived, rows go in by UNNEST, and a repeat changes nothing. */
import { createHash } from 'node:crypto';
import type { Chunk } from '../domain/chunk.ts';
import type { ChunkId, DocumentId, GenerationId, OwnerId } from '../domain/ids.ts';
import { deriveChunkId } from './derive-id.ts';
import type { Queryable } from './pool.ts';
import { vectorLiteral, vectorTable } from './vectors.ts';

const CHUNKS_PER_STATEMENT = 500;
const VECTORS_PER_STATEMENT = 100;

/** A tsvector holds 1 MB and a longer text fails its insert; no text of this many characters comes near it. */
const LEXED_CHARACTERS = 65_536;

export interface ChunkOwner {
  readonly id: GenerationId;
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  /** Postgres text search configuration by which the text becomes lexemes, such as `english`. */
  readonly textSearchConfig: string;
}

/** Headings are found as words of every chunk under them. */
export async function storeChunks(
  transaction: Queryable,
  generation: ChunkOwner,
  chunks: readonly Chunk[],
): Promise<void> {
  const { id, documentId, ownerId, textSearchConfig } = generation;
  for (const slice of slices(chunks, CHUNKS_PER_STATEMENT)) {
    await transaction.query(
      `insert into intake.chunks
         (id, generation_id, document_id, owner_id, ordinal, text, prefix, start_offset, end_offset, page_from,
          page_to, heading_path, token_count, sha256, text_search_config, lexemes)
       select c.id, $1, $2, $3, c.ordinal, c.text, c.prefix, c.start_offset, c.end_offset, c.page_from,
              c.page_to, h.path, c.token_count, c.sha256, $4::text,
              to_tsvector($4::text::regconfig, left(concat_ws(' ', array_to_string(h.path, ' '), c.prefix, c.text), $5))
       from unnest($6::uuid[], $7::int[], $8::text[], $9::text[], $10::int[], $11::int[], $12::int[], $13::int[],
                   $14::text[], $15::int[], $16::text[])
         as c (id, ordinal, text, prefix, start_offset, end_offset, page_from, page_to, headings, token_count, sha256)
       cross join lateral (select array(select json_array_elements_text(c.headings::json)) as path) h
       on conflict (id) do nothing`,
      [id, documentId, ownerId, textSearchConfig, LEXED_CHARACTERS, ...columns(id, slice)],
    );
  }
}

/** The chunk columns, one array each: a statement takes 65,535 parameters and `pg` wraps the count silently. */
function columns(
  generationId: GenerationId,
  chunks: readonly Chunk[],
): readonly (readonly unknown[])[] {
  return [
    chunks.map(({ ordinal }) => deriveChunkId(generationId, ordinal)),
    chunks.map(({ ordinal }) => ordinal),
    chunks.map(({ text }) => text),
    chunks.map(({ prefix }) => prefix),
    chunks.map(({ startOffset }) => startOffset),
    chunks.map(({ endOffset }) => endOffset),
    chunks.map(({ pageFrom }) => pageFrom),
    chunks.map(({ pageTo }) => pageTo),
    chunks.map(({ headingPath }) => JSON.stringify(headingPath)),
    chunks.map(({ tokenCount }) => tokenCount),
    chunks.map(({ text }) => createHash('sha256').update(text).digest('hex')),
  ];
}

/** A chunk as the embedding model has to see it. */
export interface ChunkInput {
  readonly chunkId: ChunkId;
  readonly ordinal: number;
  readonly input: string;
  readonly tokenCount: number;
}

/** Chunks of a generation that still lack their vector, short ones first: like lengths make cheap batches. */
export async function chunksWithoutVector(
  q: Queryable,
  generationId: GenerationId,
  dimensions: number,
): Promise<readonly ChunkInput[]> {
  const { rows } = await q.query<{
    id: ChunkId;
    ordinal: number;
    input: string;
    token_count: number;
  }>(
    `select c.id, c.ordinal, c.prefix || c.text as input, c.token_count
     from intake.chunks c
     where c.generation_id = $1
       and not exists (select from ${vectorTable(dimensions)} v where v.chunk_id = c.id)
     order by c.token_count, c.ordinal`,
    [generationId],
  );
  return rows.map((row) => ({
    chunkId: row.id,
    ordinal: row.ordinal,
    input: row.input,
    tokenCount: row.token_count,
  }));
}

export interface VectorTarget {
  readonly generationId: GenerationId;
  readonly dimensions: number;
}

export interface ChunkVector {
  readonly chunkId: ChunkId;
  readonly vector: readonly number[];
}

/** Document and owner are the chunk's own, so that a vector can belong to nobody else. */
export async function storeVectors(
  q: Queryable,
  { generationId, dimensions }: VectorTarget,
  vectors: readonly ChunkVector[],
): Promise<void> {
  for (const slice of slices(vectors, VECTORS_PER_STATEMENT)) {
    await q.query(
      `insert into ${vectorTable(dimensions)} (chunk_id, generation_id, document_id, owner_id, embedding)
       select c.id, c.generation_id, c.document_id, c.owner_id, given.embedding::vector
       from unnest($2::uuid[], $3::text[]) as given (chunk_id, embedding)
       join intake.chunks c on c.id = given.chunk_id and c.generation_id = $1
       on conflict (chunk_id) do nothing`,
      [
        generationId,
        slice.map(({ chunkId }) => chunkId),
        slice.map(({ vector }) => vectorLiteral(vector)),
      ],
    );
  }
}

function* slices<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
