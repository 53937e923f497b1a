/**
 * Markdown to its top-level blocks, in order and without gaps. Pages are read one by one, so that a fence
 * left open on one page cannot swallow the pages after it, and long pages window by window, so that
 * memory and marked's quadratic corners stay bounded.
 */
import { Lexer, type Token, type TokensList } from 'marked';
import type { PageOffset } from '../domain/chunk.ts';
import { isLowSurrogate } from './cut-text.ts';

export type BlockKind = 'heading' | 'prose' | 'list' | 'code' | 'table' | 'html';

export interface Block {
  readonly kind: BlockKind;
  /** `[start, end)` in the whole Markdown. */
  readonly start: number;
  readonly end: number;
  /** Headings from the outermost to the innermost in force here; a heading's own included. */
  readonly headings: readonly string[];
}

const WINDOW = 64 * 1024;
const LARGEST_WINDOW = 256 * 1024;
const LONGEST_HEADING = 200;

/** Yields every block; blank lines between blocks belong to none. */
export function* readBlocks(markdown: string, pages: readonly PageOffset[]): Generator<Block> {
  // Same length, so that offsets hold: marked would turn CRLF into LF by itself.
  const source = markdown.replaceAll('\r\n', ' \n').replaceAll('\r', '\n');
  const outline = createOutline();
  for (const [start, end] of pageRanges(source.length, pages)) {
    for (const { token, offset } of readTokens(source, start, end)) {
      if (token.type === 'space') continue;
      if (token.type === 'heading') outline.enter(token['depth'], plainText(token['text']));
      yield {
        kind: kindOf(token),
        start: offset,
        end: offset + token.raw.length,
        headings: outline.path(),
      };
    }
  }
}

function pageRanges(length: number, pages: readonly PageOffset[]): readonly [number, number][] {
  const starts = [0, ...pages.map((page) => page.startOffset)].sort((a, b) => a - b);
  return starts
    .map((start, index): [number, number] => [start, Math.min(starts[index + 1] ?? length, length)])
    .filter(([start, end]) => start < end);
}

interface PlacedToken {
  readonly token: Token;
  readonly offset: number;
}

/** A window's last block may go on behind it, so reading resumes at that block's start. */
function* readTokens(source: string, start: number, end: number): Generator<PlacedToken> {
  let position = start;
  let size = WINDOW;
  while (position < end) {
    const windowEnd = position + size < end ? wordEndBefore(source, position, size) : end;
    const tokens = lexBlocks(source.slice(position, windowEnd));
    const last = tokens.findLastIndex((token) => token.type !== 'space');
    const cutOff = windowEnd < end && last >= 0;
    if (cutOff && last === 0 && size < LARGEST_WINDOW) {
      size *= 2;
      continue;
    }
    for (const token of cutOff && last > 0 ? tokens.slice(0, last) : tokens) {
      yield { token, offset: position };
      position += token.raw.length;
    }
    size = WINDOW;
  }
}

/** Where a window of about `size` may end: behind a line, else behind a word, never inside a surrogate pair. */
function wordEndBefore(source: string, position: number, size: number): number {
  const limit = position + size;
  const nearest = position + size / 2;
  for (const separator of ['\n', ' ']) {
    const index = source.lastIndexOf(separator, limit - 1);
    if (index >= nearest) return index + 1;
  }
  return isLowSurrogate(source, limit) ? limit - 1 : limit;
}

/** Top-level tokens whose `raw` texts join to exactly `text`. */
function lexBlocks(text: string): readonly Token[] {
  const tokens = new TopLevelLexer().blockTokens(text);
  const exact: Token[] = [];
  let position = 0;
  for (const token of tokens) {
    if (!text.startsWith(token.raw, position)) break;
    exact.push(token);
    position += token.raw.length;
  }
  // marked rewrites some odd input (a list of one line that ends in blanks); that is read as plain prose.
  const rest = text.slice(position);
  if (rest !== '') exact.push({ type: 'paragraph', raw: rest });
  return exact;
}

/** Does not descend: what is inside a list or quote is not needed, and hostile nesting would overflow the stack. */
class TopLevelLexer extends Lexer {
  #inside = false;

  override blockTokens(text: string, tokens?: Token[], lastClipped?: boolean): Token[];
  override blockTokens(text: string, tokens?: TokensList, lastClipped?: boolean): TokensList;
  override blockTokens(text: string, tokens: Token[] = [], lastClipped = false): Token[] {
    if (this.#inside) return tokens;
    this.#inside = true;
    return super.blockTokens(text, tokens, lastClipped);
  }
}

function kindOf(token: Token): BlockKind {
  switch (token.type) {
    case 'heading':
    case 'list':
    case 'code':
    case 'table':
    case 'html':
      return token.type;
    default:
      return 'prose';
  }
}

/** Heading text without its inline Markdown. */
function plainText(inline: string): string {
  const start = inline.slice(0, LONGEST_HEADING).replace(/[\ud800-\udbff]$/, '');
  const text = new Lexer().inlineTokens(start).map(leafText).join('');
  return text.replaceAll(/\s+/g, ' ').trim();
}

function leafText(token: Token): string {
  if ('tokens' in token && token.tokens !== undefined) return token.tokens.map(leafText).join('');
  return 'text' in token && token.type !== 'html' ? String(token.text) : '';
}

interface Outline {
  enter(depth: number, heading: string): void;
  path(): readonly string[];
}

function createOutline(): Outline {
  let open: readonly { depth: number; heading: string }[] = [];
  let path: readonly string[] = [];
  return {
    enter(depth, heading) {
      open = [...open.filter((entry) => entry.depth < depth), { depth, heading }];
      path = open.map((entry) => entry.heading).filter((text) => text !== '');
    },
    path: () => path,
  };
}
