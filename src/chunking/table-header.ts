/** The header of a table, which is repeated in front of every later part of it. */
import type { BlockKind } from './read-blocks.ts';

/** Looked at for the header of an HTML table; a longer header could not be repeated anyway. */
const HEADER_SEARCHED = 8 * 1024;

/** '' when the block is no table or its table has no header. */
export function tableHeader(kind: BlockKind, text: string): string {
  if (kind === 'table') return compact(/^[^\n]*\n[^\n]*\n/.exec(text)?.[0] ?? '');
  if (kind === 'html') return htmlHeader(text.slice(0, HEADER_SEARCHED));
  return '';
}

/** Without the padding that lines up columns: some tokenizers count every dash of it. */
function compact(header: string): string {
  return header.replaceAll(/-{4,}/g, '---').replaceAll(/[ \t]{2,}/g, ' ');
}

function htmlHeader(text: string): string {
  if (!/^\s*<table\b/i.test(text)) return '';
  const end = /<\/thead\s*>/i.exec(text) ?? /<\/tr\s*>/i.exec(text);
  const header = end === null ? '' : text.slice(0, end.index + end[0].length);
  return /<th\b/i.test(header) ? `${header}\n` : '';
}
