/** Entry of a chunking thread: loads the tokenizer once, then answers one Markdown at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Chunk, PageOffset } from '../domain/chunk.ts';
import { createTokenCounter } from './count-tokens.ts';
import { detectTextSearchConfig } from './detect-language.ts';
import { splitMarkdown } from './split-markdown.ts';

export interface ChunkThreadData {
  readonly tokenizer: string;
  readonly maxTokens: number;
}

export interface ChunkJob {
  readonly markdown: string;
  readonly pages: readonly PageOffset[];
}

export interface ChunkAnswer {
  /** JSON of arrays of `TextlessChunk`, small enough to be read without holding up the event loop. */
  readonly batches: readonly string[];
  readonly textSearchConfig: string;
}

/** The asking side has the Markdown and cuts the text out again. */
export type TextlessChunk = Omit<Chunk, 'text'>;

const BATCH = 500;

const { tokenizer, maxTokens }: ChunkThreadData = workerData;
const counter = await createTokenCounter(tokenizer);

parentPort?.on('message', ({ markdown, pages }: ChunkJob) => {
  const chunks = splitMarkdown(markdown, { pages, counter, maxTokens });
  const answer: ChunkAnswer = {
    batches: inBatches(chunks.map(({ text: _, ...chunk }) => chunk)),
    textSearchConfig: detectTextSearchConfig(markdown),
  };
  parentPort?.postMessage(answer);
});

function inBatches(chunks: readonly TextlessChunk[]): readonly string[] {
  return Array.from({ length: Math.ceil(chunks.length / BATCH) }, (_, index) =>
    JSON.stringify(chunks.slice(index * BATCH, (index + 1) * BATCH)),
  );
}
