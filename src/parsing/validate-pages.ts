/** Whether a parser's answer is the whole document. `COMPLETED` at the vendor does not say so. */
import type { ParsedPage } from '../domain/chunk.ts';
import { IntakeError } from '../domain/errors.ts';
import { hasText, type JoinedPages, joinPages } from './join-pages.ts';

export interface PageLimits {
  readonly maxPages: number;
  /** Share of pages that may have failed, 0 to 100. */
  readonly maxFailedPagesPercent: number;
  readonly maxMarkdownBytes: number;
}

export interface ValidatedPages extends JoinedPages {
  readonly pageCount: number;
  /** 1-based, ascending. */
  readonly failedPages: readonly number[];
}

/** Throws `NO_DATA_FOUND_IN_FILE`, `TOO_MANY_PAGES`, `PARSE_INCOMPLETE` or `DOCUMENT_TOO_LARGE`. */
export function validatePages(answered: readonly ParsedPage[], limits: PageLimits): ValidatedPages {
  const pages = answered.toSorted((a, b) => a.pageNumber - b.pageNumber);
  const pageCount = pages.length;
  if (pageCount > limits.maxPages) {
    throw new IntakeError('TOO_MANY_PAGES', { detail: `over ${limits.maxPages} pages` });
  }
  requireEveryPageOnce(pages);
  const failedPages = pages.filter((page) => !page.success).map((page) => page.pageNumber);
  if (failedPages.length * 100 > limits.maxFailedPagesPercent * pageCount) {
    throw new IntakeError('PARSE_INCOMPLETE', {
      detail: `${failedPages.length} of ${pageCount} pages failed`,
    });
  }
  if (!pages.some((page) => page.success && hasText(page.markdown))) {
    throw new IntakeError('NO_DATA_FOUND_IN_FILE', { detail: `${pageCount} pages without text` });
  }
  const joined = joinPages(pages);
  if (Buffer.byteLength(joined.markdown) > limits.maxMarkdownBytes) {
    throw new IntakeError('DOCUMENT_TOO_LARGE', {
      detail: `Markdown over ${limits.maxMarkdownBytes} bytes`,
    });
  }
  return { ...joined, pageCount, failedPages };
}

function requireEveryPageOnce(pages: readonly ParsedPage[]): void {
  for (const [index, { pageNumber }] of pages.entries()) {
    if (pageNumber !== index + 1) {
      throw new IntakeError('PARSE_INCOMPLETE', {
        detail: `page ${pageNumber} stands where page ${index + 1} is due`,
      });
    }
  }
}
