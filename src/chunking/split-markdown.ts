/**
 * Markdown to chunks for embedding: pure and deterministic. Every character that is no blank lies in exactly
 * one chunk, and `markdown.slice(startOffset, endOffset) === text`.
 */
import type { Chunk, PageOffset } from '../domain/chunk.ts';
import { IntakeError } from '../domain/errors.ts';
import { packBlocks } from './pack-blocks.ts';
import { readBlocks } from './read-blocks.ts';
import type { Limits } from './unit.ts';

/** Name and version: another version gives other chunks, so another generation. */
export const chunker = 'markdown-blocks@1';

/** Below it a single character with the special tokens may not fit. */
const SMALLEST_LIMIT = 16;

export interface SplitOptions extends Limits {
  /** Where each page starts, ascending; without any all is page 1. */
  readonly pages: readonly PageOffset[];
}

/** Throws `CONFIGURATION_INVALID`. */
export function requireMaxTokens(maxTokens: number): void {
  if (maxTokens >= SMALLEST_LIMIT) return;
  const detail = `EMBEDDINGS_MAX_TOKENS: at least ${SMALLEST_LIMIT}`;
  throw new IntakeError('CONFIGURATION_INVALID', { detail });
}

export function splitMarkdown(markdown: string, options: SplitOptions): readonly Chunk[] {
  requireMaxTokens(options.maxTokens);
  const { pages } = options;
  const packed = Array.from(packBlocks(markdown, readBlocks(markdown, pages), options));
  return packed.map(({ start, end, headingPath, prefix, tokenCount }, ordinal) => ({
    ordinal,
    text: markdown.slice(start, end),
    startOffset: start,
    endOffset: end,
    pageFrom: pageAt(pages, start),
    pageTo: pageAt(pages, end - 1),
    headingPath,
    prefix,
    tokenCount,
  }));
}

function pageAt(pages: readonly PageOffset[], offset: number): number {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pages[middle]?.startOffset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return pages[low - 1]?.pageNumber ?? pages[0]?.pageNumber ?? 1;
}
