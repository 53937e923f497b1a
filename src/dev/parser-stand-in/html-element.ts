/** What the converters need of the DOM that Turndown brings along: Node has none, and so no types for it. */
export interface HtmlElement {
  readonly nodeName: string;
  readonly className: string;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}
