/**
 * Pages to one Markdown text. Text is normalised first and offsets are taken from the result, so that
 * `markdown.slice(start, end)` is the same text for every later reader.
 */
import type { PageOffset, ParsedPage } from '../domain/chunk.ts';

export interface JoinedPages {
  readonly markdown: string;
  readonly pageOffsets: readonly PageOffset[];
}

/** Expects pages in order. A page that failed leaves a marker, so that a reader sees the gap. */
export function joinPages(pages: readonly ParsedPage[]): JoinedPages {
  const parts: string[] = [];
  const pageOffsets: PageOffset[] = [];
  let length = 0;
  const append = (part: string): void => {
    parts.push(part);
    length += part.length;
  };
  for (const page of pages) {
    const body = page.success ? normaliseText(page.markdown) : gapMarker(page.pageNumber);
    if (length > 0 && body !== '') append('\n\n');
    pageOffsets.push({ pageNumber: page.pageNumber, startOffset: length });
    append(body);
  }
  return { markdown: parts.join(''), pageOffsets };
}

/** Letters or digits besides code fences: an empty fenced block is how some parsers write a page without text. */
export function hasText(markdown: string): boolean {
  return /[\p{L}\p{N}]/u.test(markdown.replace(/^ {0,3}(?:```|~~~).*$/gm, ''));
}

/** LF line ends; no NUL (Postgres refuses it) and no lone surrogates (UTF-8 cannot hold them); no blank lines at the edges. */
function normaliseText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\0|\p{Surrogate}/gu, '')
    .replace(/^\n+/, '')
    .trimEnd();
}

function gapMarker(pageNumber: number): string {
  return `> [Page ${pageNumber} could not be read]`;
}
