import { describe, expect, it } from 'vitest';
import { splitMarkdown } from '../../../src/chunking/split-markdown.ts';
import type { TokenCounter } from '../../../src/embedding/embedder.ts';
import { joinPages } from './markdown-documents.ts';

/** Words, so that a test can count along. */
const counter: TokenCounter = { name: 'words', count: (text) => text.match(/\S+/g)?.length ?? 0 };

const split = (markdown: string, maxTokens = 32) =>
  splitMarkdown(markdown, { pages: [], counter, maxTokens });
const texts = (markdown: string, maxTokens?: number) =>
  split(markdown, maxTokens).map(({ text }) => text);
const words = (count: number, word = 'word') => Array.from({ length: count }, () => word).join(' ');
const sentences = (count: number) =>
  Array.from({ length: count }, (_, index) => `Sentence ${index} has five words.`).join(' ');
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => `| Service ${index} | $${index} |`).join('\n');

describe('splitMarkdown', () => {
  it('makes nothing of blanks and one chunk of a short text', () => {
    expect(texts('')).toEqual([]);
    expect(texts(' \n\t\n\u00a0\ufeff')).toEqual([]);
    expect(texts('\n\nHello there.\n\n')).toEqual(['Hello there.']);
  });

  it('refuses a limit into which a single character may not fit', () => {
    expect(() => split('text', 15)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    );
  });

  describe('headings', () => {
    it('start a new chunk, unless the one before is very short', () => {
      const markdown = `# A\n\n${words(20)}\n\n# B\n\n${words(3)}\n\n# C\n\n${words(3)}`;
      expect(texts(markdown)).toEqual([
        `# A\n\n${words(20)}`,
        `# B\n\n${words(3)}\n\n# C\n\n${words(3)}`,
      ]);
    });

    it('stay with what follows', () => {
      const markdown = `${words(5)}\n\n# Title\n\n## Subtitle\n\n${words(26)}`;
      expect(texts(markdown)).toEqual([words(5), `# Title\n\n## Subtitle\n\n${words(26)}`]);
    });

    it('stay with the beginning of what is too long', () => {
      const [first] = texts(`# Title\n\n${sentences(20)}`);
      expect(first).toMatch(/^# Title\n\nSentence 0 .* words\.$/);
    });

    it('give the path of every chunk below them, as plain text, and what several have in common', () => {
      const markdown = [
        '# The **Silver** plan',
        words(10),
        '## [Visits](https://example.org)',
        sentences(9),
        '## Drugs',
        words(2),
        '## Dental',
        words(2),
      ].join('\n\n');
      expect(split(markdown).map(({ headingPath }) => headingPath)).toEqual([
        ['The Silver plan'],
        ['The Silver plan', 'Visits'],
        ['The Silver plan', 'Visits'],
        ['The Silver plan'],
      ]);
    });

    it('are put in front of chunks that do not show them themselves', () => {
      const markdown = ['# Plan', '## Visits', sentences(10), '## Drugs', words(20)].join('\n\n');
      expect(split(markdown).map(({ prefix }) => prefix)).toEqual([
        '',
        'Plan > Visits\n\n',
        'Plan\n\n',
      ]);
    });

    it('are cut to 200 characters in the path, but never inside a character', () => {
      const [chunk] = split(`# ${'x'.repeat(199)}😀 ${words(3)}`);
      expect(chunk?.headingPath).toEqual(['x'.repeat(199)]);
    });

    it('lose the outer ones in the prefix when there is little room', () => {
      const markdown = [`# ${words(20, 'outer')}`, '## Inner', sentences(8)].join('\n\n');
      expect(split(markdown).at(-1)?.prefix).toBe('Inner\n\n');
    });
  });

  describe('tables', () => {
    const header = '| Service | You pay |\n|---|---|\n';

    it('are cut between rows, with the header in front of every later part', () => {
      const chunks = split(`${header}${rows(20)}`);
      expect(chunks.length).toBeGreaterThan(3);
      for (const [index, { prefix, text }] of chunks.entries()) {
        expect(prefix).toBe(index === 0 ? '' : header);
        expect(text.startsWith(index === 0 ? header : '| Service')).toBe(true);
        expect(text.endsWith(' |')).toBe(true);
      }
    });

    it('repeat a header without the padding of its columns', () => {
      const padded = '| Service      | You pay |\n|--------------|---------|\n';
      expect(split(`${padded}${rows(20)}`).at(-1)?.prefix).toBe(header);
    });

    it('are not cut when they fit into a chunk of their own', () => {
      const table = `${header}${rows(3)}`;
      expect(texts(`${words(20)}\n\n${table}`)).toEqual([words(20), table]);
    });

    it('give up the header rather than cut a row', () => {
      const long = `| ${words(26)} | x |`;
      const chunks = split(`${header}| a | b |\n${long}`);
      expect(chunks.at(-1)).toMatchObject({ prefix: '', text: long });
    });

    it('are cut between rows and keep their header in HTML too', () => {
      const head = '<table>\n<tr><th>Service</th><th>You pay</th></tr>';
      const body = Array.from(
        { length: 40 },
        (_, n) => `<tr><td>Service ${n}</td><td>$5</td></tr>`,
      );
      const chunks = split(`${head}\n${body.join('\n')}\n</table>`);
      expect(chunks.length).toBeGreaterThan(2);
      for (const { prefix, text } of chunks.slice(1, -1)) {
        expect(prefix).toBe(`${head}\n`);
        expect(text).toMatch(/^<tr>[^]*<\/tr>$/);
      }
    });
  });

  describe('code', () => {
    it('stays whole where it fits', () => {
      const fence = `\`\`\`js\n${words(8)}\n\n${words(8)}\n\`\`\``;
      expect(texts(`${words(20)}\n\n${fence}`)).toEqual([words(20), fence]);
    });

    it('is cut at line ends where it does not', () => {
      const lines = Array.from({ length: 20 }, (_, index) => `line ${index} of the program`);
      const chunks = texts(['```', ...lines, '```'].join('\n'));
      expect(chunks.length).toBeGreaterThan(2);
      expect(chunks.join('\n').split('\n').slice(1, -1)).toEqual(lines);
    });

    it('left open on one page does not swallow the next', () => {
      const { markdown, pages } = joinPages([`\`\`\`\n${words(20)}`, `# Title\n\n${words(5)}`]);
      const chunks = splitMarkdown(markdown, { pages, counter, maxTokens: 32 });
      expect(chunks.at(-1)?.headingPath).toEqual(['Title']);
    });
  });

  describe('prose', () => {
    it('is cut between sentences', () => {
      for (const text of texts(sentences(30))) expect(text).toMatch(/^Sentence .* words\.$/);
    });

    it('is cut between words where a sentence is too long', () => {
      const chunks = texts(words(100));
      expect(chunks).toEqual([words(32), words(32), words(32), words(4)]);
    });

    it('is cut between list items, and items of the outer list first', () => {
      const items = Array.from(
        { length: 6 },
        (_, n) => `- Item ${n}\n  - ${words(4)}\n  - ${words(4)}`,
      );
      for (const text of texts(items.join('\n'))) expect(text).toMatch(/^- Item/);
    });

    it('ends no sentence at a line break inside a paragraph', () => {
      const markdown = `${words(16)}\n${words(4)}. Then ${words(20)}`;
      expect(texts(markdown)[0]).toBe(`${words(16)}\n${words(4)}.`);
    });

    it('without any blanks is cut anywhere, but never inside a character', () => {
      const chunks = texts('😀'.repeat(1000));
      expect(chunks.join('')).toBe('😀'.repeat(1000));
      expect(chunks.every((text) => text.isWellFormed() && text.length <= 32 * 16)).toBe(true);
    });
  });

  it('counts offsets in the text as it is, with CRLF and stray CR', () => {
    const markdown = `# A\r\n\r\n${words(20)}\r\n\r\n| a | b |\r\n|---|---|\r\n| c\rd | e |\r\n`;
    for (const { startOffset, endOffset, text } of split(markdown)) {
      expect(markdown.slice(startOffset, endOffset)).toBe(text);
    }
  });

  it('names the pages that a chunk spans, by their own numbers', () => {
    const { markdown, pages } = joinPages([words(10), words(10), words(30)]);
    const numbered = pages.map((page) => ({ ...page, pageNumber: page.pageNumber + 4 }));
    const chunks = splitMarkdown(markdown, { pages: numbered, counter, maxTokens: 32 });
    expect(chunks.map(({ pageFrom, pageTo }) => [pageFrom, pageTo])).toEqual([
      [5, 6],
      [7, 7],
    ]);
  });

  describe('hostile input', () => {
    const nested = Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(2 * depth)}- x`).join(
      '\n',
    );
    it.each([
      ['nested lists', nested],
      ['nested quotes', `${'> '.repeat(50_000)}x`],
      ['a line of lists', `${'- '.repeat(50_000)}x`],
      ['one long line', words(200_000)],
      ['one long word', 'x'.repeat(1_000_000)],
      ['blank lines between two words', `a${'\n'.repeat(500_000)}b`],
      ['blanks between two words', `a${' '.repeat(500_000)}b`],
      ['open brackets', '[('.repeat(200_000)],
      ['headings only', '# a\n'.repeat(20_000)],
      [
        'a very wide table',
        `|${'a|'.repeat(50_000)}\n|${'-|'.repeat(50_000)}\n|${'b|'.repeat(50_000)}`,
      ],
      ['a fence over many windows', `\`\`\`\n${'code line\n'.repeat(60_000)}\`\`\``],
    ])('%s: nothing is lost', (_, markdown) => {
      const joined = texts(markdown, 256).join('');
      expect(joined.replaceAll(/\s/g, '').length).toBe(markdown.replaceAll(/\s/g, '').length);
    });
  });
});
