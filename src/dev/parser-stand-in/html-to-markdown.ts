/** HTML to Markdown by Turndown: every table as a pipe table, nothing that a reader would not see. */
import TurndownService from 'turndown';
import type { HtmlElement } from './html-element.ts';
import { addTableRules, showPipes } from './table-rules.ts';

/** An element that stands where a page ends; `mark` takes its place on a line of its own. */
export interface PageBreak {
  readonly className: string;
  readonly mark: string;
}

export function htmlToMarkdown(html: string, pageBreak?: PageBreak): string {
  const service = new TurndownService({
    headingStyle: 'atx',
    hr: '---',
    bulletListMarker: '-',
    codeBlockStyle: 'fenced',
  });
  service.remove(['script', 'style', 'iframe', 'noscript', 'template', 'head']);
  addTableRules(service);
  service.addRule('struck', {
    filter: ['del', 's'],
    replacement: (content) => `~~${content}~~`,
  });
  service.addRule('checkbox', {
    filter: (element: HtmlElement) =>
      element.nodeName === 'INPUT' && element.getAttribute('type') === 'checkbox',
    replacement: (_content, box: HtmlElement) => (box.hasAttribute('checked') ? '[x] ' : '[ ] '),
  });
  service.addRule('image', {
    filter: 'img',
    replacement: (_content, image: HtmlElement) => image.getAttribute('alt') ?? '',
  });
  service.addRule('scriptLink', { filter: isScriptLink, replacement: (content) => content });
  service.addRule('hidden', { filter: isHidden, replacement: () => '' });
  if (pageBreak !== undefined) {
    service.addRule('pageBreak', {
      filter: ({ className }: HtmlElement) => className === pageBreak.className,
      replacement: () => `\n\n${pageBreak.mark}\n\n`,
    });
  }
  return showPipes(service.turndown(html));
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
