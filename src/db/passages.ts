/** What found chunks say and where they stand. */
import type { ChunkId, DocumentId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';
import { vectorLiteral, vectorTable } from './vectors.ts';

export interface StoredChunk {
  readonly chunkId: ChunkId;
  readonly documentId: DocumentId;
  readonly documentName: string;
  /** Its place among the chunks of the document. */
  readonly ordinal: number;
  readonly text: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly pageFrom: number;
  readonly pageTo: number;
  readonly headingPath: readonly string[];
  /** 1 - cosine distance to the question; `undefined` for a chunk that another model embedded. */
  readonly similarity: number | undefined;
}

export async function readChunks(
  q: Queryable,
  chunkIds: readonly ChunkId[],
  question: { readonly model: string; readonly vector: readonly number[] },
): Promise<ReadonlyMap<ChunkId, StoredChunk>> {
  const { rows } = await q.query<ChunkRow>(
    `select c.id, c.document_id, d.name, c.ordinal, c.text, c.start_offset, c.end_offset, c.page_from, c.page_to, c.heading_path,
            1 - (v.embedding <=> $2::vector) as similarity
     from intake.chunks c
     join intake.documents d on d.id = c.document_id
     join intake.generations g on g.id = c.generation_id
     left join ${vectorTable(question.vector.length)} v on v.chunk_id = c.id and g.embedding_model = $3
     where c.id = any($1)`,
    [chunkIds, vectorLiteral(question.vector), question.model],
  );
  return new Map(rows.map((row) => [row.id, toChunk(row)]));
}

interface ChunkRow {
  id: ChunkId;
  document_id: DocumentId;
  name: string;
  ordinal: number;
  text: string;
  start_offset: number;
  end_offset: number;
  page_from: number;
  page_to: number;
  heading_path: string[];
  similarity: number | null;
}

function toChunk(row: ChunkRow): StoredChunk {
  return {
    chunkId: row.id,
    documentId: row.document_id,
    documentName: row.name,
    ordinal: row.ordinal,
    text: row.text,
    startOffset: row.start_offset,
    endOffset: row.end_offset,
    pageFrom: row.page_from,
    pageTo: row.page_to,
    headingPath: row.heading_path,
    similarity:
      row.similarity === null || Number.isNaN(row.similarity) ? undefined : row.similarity,
  };
}
