import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedPage } from '../../../src/domain/chunk.ts';
import { hasText, joinPages } from '../../../src/parsing/join-pages.ts';
import { validatePages } from '../../../src/parsing/validate-pages.ts';

const limits = { maxPages: 100, maxFailedPagesPercent: 5, maxMarkdownBytes: 10_000 };

const read = (pageNumber: number, markdown: string): ParsedPage => ({
  pageNumber,
  success: true,
  markdown,
});
const failed = (pageNumber: number): ParsedPage => ({
  pageNumber,
  success: false,
  error: 'blurred',
});
const pages = (count: number) => Array.from({ length: count }, (_, index) => read(index + 1, 'x'));

const codeOf = (answered: readonly ParsedPage[]) => {
  try {
    validatePages(answered, limits);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('what is a whole document', () => {
  it.each<readonly [string, readonly ParsedPage[], string]>([
    ['all pages', pages(3), 'accepted'],
    ['all pages in any order', pages(3).toReversed(), 'accepted'],
    ['the most pages allowed', pages(100), 'accepted'],
    ['one page more', pages(101), 'TOO_MANY_PAGES'],
    ['no page', [], 'NO_DATA_FOUND_IN_FILE'],
    ['a gap', [read(1, 'x'), read(3, 'x')], 'PARSE_INCOMPLETE'],
    ['a double', [read(1, 'x'), read(1, 'x'), read(2, 'x')], 'PARSE_INCOMPLETE'],
    ['a page 0', [read(0, 'x'), read(1, 'x')], 'PARSE_INCOMPLETE'],
    ['a first page that is missing', [read(2, 'x')], 'PARSE_INCOMPLETE'],
    ['1 of 20 failed', [...pages(19), failed(20)], 'accepted'],
    ['1 of 19 failed', [...pages(18), failed(19)], 'PARSE_INCOMPLETE'],
    ['every page failed', [failed(1)], 'PARSE_INCOMPLETE'],
    ['blank pages only', [read(1, ' \n'), read(2, '```text\n\n```')], 'NO_DATA_FOUND_IN_FILE'],
    ['one page with text', [read(1, ''), read(2, 'x')], 'accepted'],
    ['too much text', [read(1, 'ö'.repeat(5_001))], 'DOCUMENT_TOO_LARGE'],
    ['as much text as allowed', [read(1, 'ö'.repeat(5_000))], 'accepted'],
  ])('%s: %#', (_name, answered, outcome) => {
    expect(codeOf(answered)).toBe(outcome);
  });

  it('names the failed pages and shows the gap to a reader', () => {
    const answered = [...pages(19), failed(20)];
    const { markdown, failedPages, pageCount } = validatePages(answered, limits);
    expect({ failedPages, pageCount }).toEqual({ failedPages: [20], pageCount: 20 });
    expect(markdown).toMatch(/\n\n> \[Page 20 could not be read\]$/);
  });
});

describe('joining', () => {
  it('normalises first and counts offsets afterwards', () => {
    const { markdown, pageOffsets } = joinPages([
      read(1, '\r\n# A\r\nb\rc\0\uD800 \n'),
      read(2, ''),
      read(3, '    code'),
    ]);
    expect(markdown).toBe('# A\nb\nc\n\n    code');
    expect(pageOffsets).toEqual([
      { pageNumber: 1, startOffset: 0 },
      { pageNumber: 2, startOffset: 7 },
      { pageNumber: 3, startOffset: 9 },
    ]);
  });

  it('keeps characters of two code units whole', () => {
    expect(joinPages([read(1, 'a😀b')]).markdown).toBe('a😀b');
  });

  it('holds for any pages: offsets rise and point at their page, the text fits UTF-8 and Postgres', () => {
    const anyText = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map(String.fromCharCode),
    });
    fc.assert(
      fc.property(fc.array(fc.option(anyText, { nil: undefined })), (texts) => {
        const given = texts.map((text, index) =>
          text === undefined ? failed(index + 1) : read(index + 1, text),
        );
        const { markdown, pageOffsets } = joinPages(given);
        expect(markdown.isWellFormed() && !/[\0\r]/.test(markdown)).toBe(true);
        expect(pageOffsets.map((page) => page.pageNumber)).toEqual(
          given.map((page) => page.pageNumber),
        );
        for (const [index, { startOffset }] of pageOffsets.entries()) {
          const end = pageOffsets[index + 1]?.startOffset ?? markdown.length;
          expect(end).toBeGreaterThanOrEqual(startOffset);
          const alone = joinPages(given.slice(index, index + 1)).markdown;
          expect(markdown.slice(startOffset, end).trimEnd()).toBe(alone);
        }
      }),
    );
  });
});

describe('text', () => {
  it.each([
    ['', false],
    [' \n\t', false],
    ['```text\n\n```', false],
    ['~~~\n~~~', false],
    ['---\n***', false],
    ['```\nx\n```', true],
    ['| 1 |', true],
    ['日本', true],
  ])('%j: %s', (markdown, outcome) => {
    expect(hasText(markdown)).toBe(outcome);
  });
});
