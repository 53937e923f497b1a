import { describe, expect, it } from 'vitest';
import { htmlToMarkdown } from '../../../src/dev/parser-stand-in/html-to-markdown.ts';

describe('HTML to Markdown', () => {
  it.each<readonly [string, string, string]>([
    [
      'a table with a head',
      '<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
      '| A | B |\n| --- | --- |\n| 1 | 2 |',
    ],
    [
      'one without, its first row narrower than the others',
      '<table><tr><td>A</td></tr><tr><td>1</td><td>2</td></tr></table>',
      '| A |  |\n| --- | --- |\n| 1 | 2 |',
    ],
    [
      'a cell over two columns, and one with lines and marks of its own',
      '<table><tr><td colspan=2>A</td></tr><tr><td>1<br>|</td><td>a*b</td></tr></table>',
      '| A |  |\n| --- | --- |\n| 1 \\| | a\\*b |',
    ],
    [
      'a table in a cell',
      '<table><tr><td>out</td><td><table><tr><td>in|</td></tr></table></td></tr></table>',
      '| out | \\| in\\| \\| \\| --- \\| |\n| --- | --- |',
    ],
    [
      'a caption and empty rows',
      '<table><caption>Plans</caption><tr><td></td></tr><tr><td>A</td></tr></table>',
      'Plans\n\n| A |\n| --- |',
    ],
    ['a table of nothing', '<table><tr><td> </td></tr></table>', ''],
    [
      'a colspan beyond measure',
      '<table><tr><td colspan="99999999999">A</td></tr></table>',
      `| A |${'  |'.repeat(99)}\n|${' --- |'.repeat(100)}`,
    ],
    ['what is hidden', '<p hidden>a</p><p style="DISPLAY:none">b</p><p>c</p>', 'c'],
    ['scripts and styles', '<script>a</script><style>b</style><noscript>c</noscript><p>d</p>', 'd'],
    ['links that run scripts', '<a href=" javascript:x()">a</a> <a href="/b">b</a>', 'a [b](/b)'],
    ['pictures by their words', '<p>a <img src="x.png" alt="b"> c</p>', 'a b c'],
    ['boxes', '<p><input type="checkbox" checked>a <input type="checkbox">b</p>', '[x] a [ ] b'],
    ['what is struck out', '<p><del>a</del></p>', '~~a~~'],
  ])('%s', (_name, html, markdown) => {
    expect(htmlToMarkdown(html).trim()).toBe(markdown);
  });
});
