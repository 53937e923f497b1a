/**
 * Tables as pipe tables, whatever they were used for, for Turndown, which has none. Linear in their size:
 * the DOM that Turndown brings along walks a whole table for every look at one of its rows.
 */
import type TurndownService from 'turndown';
import type { HtmlElement } from './html-element.ts';

/** A noncharacter in the place of every pipe within a cell, or it would be taken for the end of the cell. */
const PIPE = '\uFDD0';
const MAX_COLUMNS_SPANNED = 100;

export function addTableRules(service: TurndownService): void {
  service.addRule('tableCell', { filter: ['th', 'td'], replacement: cell });
  service.addRule('tableRow', {
    filter: 'tr',
    replacement: (content) => (content === '' ? '' : `\n|${content}\n`),
  });
  service.addRule('tableSection', {
    filter: ['thead', 'tbody', 'tfoot'],
    replacement: (content) => content,
  });
  service.addRule('table', { filter: 'table', replacement: table });
}

/** For the finished text. */
export function showPipes(markdown: string): string {
  return markdown.replaceAll(PIPE, '\\|');
}

/** Without the pipe on its left, which is its neighbour's or the row's. */
function cell(content: string, element: HtmlElement): string {
  const text = content.trim().replace(/\s+/g, ' ').replaceAll('|', PIPE);
  const span = Number.parseInt(element.getAttribute('colspan') ?? '1', 10) || 1;
  const spanned = Math.min(Math.max(span, 1), MAX_COLUMNS_SPANNED);
  return ` ${text} |${'  |'.repeat(spanned - 1)}`;
}

/** The first row is the head, since Markdown knows no table without; it is as wide as the widest, or cells would be lost. */
function table(content: string): string {
  const lines = content.split('\n').filter((line) => line.trim() !== '');
  const isRow = (line: string): boolean => line.startsWith('|');
  const rows = lines.filter((line) => isRow(line) && /[^|\s]/.test(line));
  const [head, ...body] = rows;
  const caption = lines.filter((line) => !isRow(line)).join('\n');
  if (head === undefined) return `\n\n${caption}\n\n`;
  const columns = rows.reduce((most, row) => Math.max(most, countColumns(row)), 0);
  const padded = head + '  |'.repeat(columns - countColumns(head));
  const text = [padded, `|${' --- |'.repeat(columns)}`, ...body].join('\n');
  return `\n\n${caption}\n\n${text}\n\n`;
}

function countColumns(row: string): number {
  return row.split('|').length - 2;
}
