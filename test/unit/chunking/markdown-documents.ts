/** Markdown as parsers and people make it, well-formed and not, page by page. */
import fc from 'fast-check';
import type { PageOffset } from '../../../src/domain/chunk.ts';

export interface MarkdownDocument {
  readonly markdown: string;
  readonly pages: readonly PageOffset[];
}

export function joinPages(pages: readonly string[]): MarkdownDocument {
  let markdown = '';
  const offsets = pages.map((page, index) => {
    if (index > 0) markdown += '\n\n';
    const startOffset = markdown.length;
    markdown += page;
    return { pageNumber: index + 1, startOffset };
  });
  return { markdown, pages: offsets };
}

const word = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('deductible', 'copay', 'of', 'the', '$25.00', 'plan', 'x'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('年度免赔额', '👩‍👩‍👧', '<|endoftext|>', '[CLS]', '`|`', '\u00a0'),
  },
);
const words = fc.array(word, { minLength: 1, maxLength: 20 }).map((parts) => parts.join(' '));
const sentence = words.map((text) => `${text}.`);
const paragraph = fc
  .array(sentence, { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(' '));

const heading = fc
  .tuple(fc.integer({ min: 1, max: 6 }), words)
  .map(([depth, text]) => `${'#'.repeat(depth)} ${text}`);
const list = fc
  .array(fc.tuple(fc.nat({ max: 3 }), fc.constantFrom('-', '*', '1.', '2)'), words), {
    minLength: 1,
  })
  .map((items) => items.map(([depth, marker, text]) => `${'   '.repeat(depth)}${marker} ${text}`))
  .map((lines) => lines.join('\n'));
const fence = fc
  .tuple(fc.array(words), fc.constantFrom('```', '~~~'), fc.boolean())
  .map(([lines, mark, closed]) => [mark, ...lines, closed ? mark : ''].join('\n'));
const row = fc.array(words, { minLength: 3, maxLength: 3 });
const table = fc
  .array(row, { minLength: 1, maxLength: 30 })
  .map((rows) => rows.map((cells) => `| ${cells.join(' | ')} |`))
  .map((lines) => [lines[0], '|---|---|---|', ...lines.slice(1)].join('\n'));
const htmlTable = fc
  .array(row, { minLength: 1, maxLength: 30 })
  .map((rows) =>
    rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`),
  )
  .map(
    (lines) => `<table>\n<tr><th>a</th><th>b</th><th>c</th></tr>\n${lines.join('\n')}\n</table>`,
  );
const quote = paragraph.map((text) => `> ${text}\n> ${text}`);
const run = fc
  .tuple(fc.constantFrom('a', '=', '年', '😀', '-', ' ', 'ab|', '>'), fc.nat({ max: 1500 }))
  .map(([unit, count]) => unit.repeat(count));
const noise = fc.string({ unit: 'binary', maxLength: 200 });

const block = fc.oneof(heading, paragraph, list, fence, table, htmlTable, quote, run, noise);
const page = fc
  .array(fc.tuple(block, fc.constantFrom('\n\n', '\n', '\r\n\r\n', '\n\n\n\n', ' ')), {
    maxLength: 8,
  })
  .map((blocks) => blocks.flat().join(''));

export const documents = fc.array(page, { minLength: 1, maxLength: 3 }).map(joinPages);
