/**
 * A running head in large type looks like a heading of the first rank, and would stand in the heading path
 * of everything below it. Its words stay, its rank goes.
 */
import type { Page } from './conversion.ts';

/** From how many pages on the same head runs. */
const RUNS_FROM = 3;
const HEADING = /^\s*#{1,6} +(.*)/;

export function demoteRunningHeads(pages: readonly Page[]): Page[] {
  const heads = new Map<string, number>();
  for (const page of pages) {
    const head = headOf(page);
    if (head !== undefined) heads.set(head, (heads.get(head) ?? 0) + 1);
  }
  return pages.map((page) => {
    const head = headOf(page);
    const runs = page.success && head !== undefined && (heads.get(head) ?? 0) >= RUNS_FROM;
    return runs ? { ...page, markdown: page.markdown.replace(HEADING, '$1') } : page;
  });
}

/** The heading that a page begins with, page numbers aside. */
function headOf(page: Page): string | undefined {
  const heading = page.success ? HEADING.exec(page.markdown)?.[1] : undefined;
  return heading?.replace(/\d+/g, '#').trim();
}
