import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenCounter } from '../../../src/chunking/count-tokens.ts';
import { splitMarkdown } from '../../../src/chunking/split-markdown.ts';
import { embeddingModelFiles } from '../../../src/dev/tools.ts';
import { documents, type MarkdownDocument } from './markdown-documents.ts';

const counters = await Promise.all(
  ['cl100k_base', embeddingModelFiles().tokenizer].map(createTokenCounter),
);

describe.each(counters)('splitMarkdown, counting by $name', (counter) => {
  const limits = fc.integer({ min: 16, max: 256 });
  const check = (property: (document: MarkdownDocument, maxTokens: number) => void) =>
    fc.assert(fc.property(documents, limits, property), { numRuns: 40 });

  it('gives exact offsets and dense ordinals', () => {
    check(({ markdown, pages }, maxTokens) => {
      const chunks = splitMarkdown(markdown, { pages, counter, maxTokens });
      for (const [index, chunk] of chunks.entries()) {
        expect(chunk.ordinal).toBe(index);
        expect(markdown.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
      }
    });
  });

  it('puts every character that is no blank into exactly one chunk', () => {
    check(({ markdown, pages }, maxTokens) => {
      let end = 0;
      for (const chunk of splitMarkdown(markdown, { pages, counter, maxTokens })) {
        expect(markdown.slice(end, chunk.startOffset).trim()).toBe('');
        expect(chunk.text.trim()).not.toBe('');
        end = chunk.endOffset;
      }
      expect(markdown.slice(end).trim()).toBe('');
    });
  });

  it('stays within the limit and counts the truth', () => {
    check(({ markdown, pages }, maxTokens) => {
      for (const chunk of splitMarkdown(markdown, { pages, counter, maxTokens })) {
        expect(chunk.tokenCount).toBe(counter.count(chunk.prefix + chunk.text));
        expect(chunk.tokenCount).toBeLessThanOrEqual(maxTokens);
        expect(chunk.text.length).toBeLessThanOrEqual(maxTokens * 16);
      }
    });
  });

  it('names the pages of first and last character, never going back', () => {
    check(({ markdown, pages }, maxTokens) => {
      const pageOf = (offset: number) =>
        pages.findLast((page) => page.startOffset <= offset)?.pageNumber;
      let last = 1;
      for (const chunk of splitMarkdown(markdown, { pages, counter, maxTokens })) {
        expect(chunk.pageFrom).toBe(pageOf(chunk.startOffset));
        expect(chunk.pageTo).toBe(pageOf(chunk.endOffset - 1));
        expect(chunk.pageFrom).toBeGreaterThanOrEqual(last);
        last = chunk.pageTo;
      }
    });
  });

  it('never parts a surrogate pair', () => {
    check(({ markdown, pages }, maxTokens) => {
      fc.pre(markdown.isWellFormed());
      for (const chunk of splitMarkdown(markdown, { pages, counter, maxTokens })) {
        expect(chunk.text.isWellFormed()).toBe(true);
      }
    });
  });

  it('gives the same chunks again', () => {
    check(({ markdown, pages }, maxTokens) => {
      const options = { pages, counter, maxTokens };
      expect(splitMarkdown(markdown, options)).toEqual(splitMarkdown(markdown, options));
    });
  });
});
