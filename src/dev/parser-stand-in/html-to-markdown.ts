/** HTML to Markdown by Turndown: every table as a pipe table, nothing that a reader would not see. */
import * as gfm from '@truto/turndown-plugin-gfm';
import TurndownService from 'turndown';

/** An element that stands where a page ends; `mark` takes its place on a line of its own. */
export interface PageBreak {
  readonly className: string;
  readonly mark: string;
}

/** What we need of the DOM that Turndown brings along: Node has none, and so no types for it. */
interface HtmlElement {
  readonly nodeName: string;
  readonly className: string;
  readonly previousElementSibling: HtmlElement | null;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

export function htmlToMarkdown(html: string, pageBreak?: PageBreak): string {
  const service = new TurndownService({
    headingStyle: 'atx',
    hr: '---',
    bulletListMarker: '-',
    codeBlockStyle: 'fenced',
  });
  service.use([gfm.tables, gfm.strikethrough, gfm.taskListItems]);
  service.remove(['script', 'style', 'iframe', 'noscript', 'template', 'head']);
  service.addRule('hidden', { filter: isHidden, replacement: () => '' });
  service.addRule('image', {
    filter: 'img',
    replacement: (_content, image: HtmlElement) => image.getAttribute('alt') ?? '',
  });
  service.addRule('scriptLink', { filter: isScriptLink, replacement: (content) => content });
  service.addRule('tableCell', { filter: ['th', 'td'], replacement: tableCell });
  if (pageBreak !== undefined) {
    service.addRule('pageBreak', {
      filter: ({ className }: HtmlElement) => className === pageBreak.className,
      replacement: () => `\n\n${pageBreak.mark}\n\n`,
    });
  }
  return service.turndown(html).replaceAll(PIPE, '\\|');
}

function isHidden(element: HtmlElement): boolean {
  return (
    element.hasAttribute('hidden') ||
    /display\s*:\s*none/i.test(element.getAttribute('style') ?? '')
  );
}

function isScriptLink(element: HtmlElement): boolean {
  const href = element.nodeName === 'A' ? element.getAttribute('href') : null;
  return /^\s*(?:javascript|vbscript|data):/i.test(href ?? '');
}

/** A noncharacter that stands for a pipe within a cell until the plugin has counted the columns by the other pipes. */
const PIPE = '\uFDD0';
const MAX_COLUMNS_SPANNED = 100;

/** In place of the plugin's own, which escapes the backslashes that others have just written. */
function tableCell(content: string, cell: HtmlElement): string {
  const text = content.trim().replace(/\s+/g, ' ').replaceAll('|', PIPE);
  const span = Number.parseInt(cell.getAttribute('colspan') ?? '1', 10) || 1;
  const spanned = Math.min(Math.max(span, 1), MAX_COLUMNS_SPANNED);
  const start = cell.previousElementSibling === null ? '| ' : ' ';
  return `${start}${text} |${'  |'.repeat(spanned - 1)}`;
}
