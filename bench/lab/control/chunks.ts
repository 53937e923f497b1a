/** The original's chunker `markdown-simple` 1, and its rows: searchable from the first moment, with zero vectors. */
import { randomUUID } from 'node:crypto';
import type { Database, Job } from './jobs.ts';

const MAX_LINES = 10;
const DIMENSIONS = 384;

/** Cut after a heading line or at ten lines; no overlap, no cap on size. */
export function chunkMarkdown(markdown: string): readonly string[] {
  const chunks: string[] = [];
  let lines: string[] = [];
  for (const line of markdown.split('\n')) {
    lines.push(line);
    if (!line.startsWith('#') && lines.length < MAX_LINES) continue;
    chunks.push(lines.join('\n'));
    lines = [];
  }
  return [...chunks, lines.join('\n')].filter((text) => text.trim() !== '');
}

export async function storeChunks(
  database: Database,
  { document_id }: Job,
  texts: readonly string[],
): Promise<void> {
  for (const [ordinal, text] of texts.entries()) {
    await database.query(
      `insert into upload_pipeline.document_chunks
         (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, embedding)
       values ($1, $2, 'markdown-simple', '1', $3, $4, $5)
       on conflict (document_id, chunker_name, chunker_version, chunk_ord)
       do update set text = excluded.text, embedding = excluded.embedding`,
      [randomUUID(), document_id, ordinal, text, JSON.stringify(new Array(DIMENSIONS).fill(0))],
    );
  }
}

export async function chunkTexts(
  database: Database,
  { document_id }: Job,
): Promise<readonly { readonly chunk_id: string; readonly text: string }[]> {
  const { rows } = await database.query<{ chunk_id: string; text: string }>(
    'select chunk_id, text from upload_pipeline.document_chunks where document_id = $1 order by chunk_ord',
    [document_id],
  );
  return rows;
}

export async function storeVector(
  database: Database,
  chunkId: string,
  vector: readonly number[] | undefined,
): Promise<void> {
  await database.query(
    'update upload_pipeline.document_chunks set embedding = $2 where chunk_id = $1',
    [chunkId, JSON.stringify(vector)],
  );
}
