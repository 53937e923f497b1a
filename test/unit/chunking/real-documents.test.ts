/** Markdown of real documents, as a parser makes it of PDFs. */
import { LiteParse } from '@llamaindex/liteparse';
import { describe, expect, it } from 'vitest';
import { createTokenCounter } from '../../../src/chunking/count-tokens.ts';
import { splitMarkdown } from '../../../src/chunking/split-markdown.ts';
import { embeddingModelFiles } from '../../../src/dev/tools.ts';
import type { Chunk } from '../../../src/domain/chunk.ts';
import { joinPages } from './markdown-documents.ts';

const folder = new URL('../../fixtures/documents/', import.meta.url);
const counter = await createTokenCounter(embeddingModelFiles().tokenizer);
const parser = new LiteParse({ outputFormat: 'markdown', ocrEnabled: false, quiet: true });

async function parse(file: string) {
  const { pages } = await parser.parse(new URL(file, folder).pathname);
  return joinPages(pages.map((page) => page.markdown));
}

const isRow = (line: string) => /^\|.*\|$/.test(line);
const isDelimiter = (line: string | undefined) => /^\|(?:-+\|)+$/.test(line ?? '');

/** A row that starts a chunk without any header above it. */
function startsInsideTable({ prefix, text }: Chunk): boolean {
  const lines = `${prefix}${text}`.split('\n');
  const first = lines.findIndex(isRow);
  return first >= 0 && !isDelimiter(lines[first + 1]);
}

describe.each([
  'federal-register-three-columns.pdf',
  'health-coverage-application.pdf',
  'invoice-borderless-table.pdf',
  'irs-manual-400-pages.pdf',
  'repair-invoice-multipage.pdf',
  'tax-form-filled.pdf',
])('%s', async (file) => {
  const { markdown, pages } = await parse(file);
  const chunks = splitMarkdown(markdown, { pages, counter, maxTokens: 256 });

  it('is whole, exact and within the limit', () => {
    let end = 0;
    for (const chunk of chunks) {
      expect(markdown.slice(end, chunk.startOffset).trim()).toBe('');
      expect(markdown.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
      expect(chunk.tokenCount).toBeLessThanOrEqual(256);
      end = chunk.endOffset;
    }
    expect(markdown.slice(end).trim()).toBe('');
  });

  it('reaches from its first page to its last', () => {
    expect(chunks[0]?.pageFrom).toBe(1);
    expect(chunks.at(-1)?.pageTo).toBe(pages.at(-1)?.pageNumber);
  });

  it('uses its chunks well', () => {
    const tokens = chunks.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    expect(tokens / chunks.length).toBeGreaterThan(128);
  });

  it('shows every table under its header', () => {
    const headless = chunks.filter(startsInsideTable);
    expect(headless.length).toBeLessThanOrEqual(chunks.length / 100);
  });
});
