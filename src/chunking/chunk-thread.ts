/** Entry of a chunking thread: loads the tokenizer once, then answers one Markdown at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PageOffset } from '../domain/chunk.ts';
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

const { tokenizer, maxTokens }: ChunkThreadData = workerData;
const counter = await createTokenCounter(tokenizer);

parentPort?.on('message', ({ markdown, pages }: ChunkJob) => {
  const chunks = splitMarkdown(markdown, { pages, counter, maxTokens });
  parentPort?.postMessage({ chunks, textSearchConfig: detectTextSearchConfig(markdown) });
});
