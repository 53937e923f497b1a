/** A piece of a document's Markdown that is embedded and found as one. */
export interface Chunk {
  /** 0-based place within its generation. */
  readonly ordinal: number;
  /** Exactly `markdown.slice(startOffset, endOffset)`. */
  readonly text: string;
  /** Offsets into the stored Markdown in UTF-16 code units, `[start, end)`. */
  readonly startOffset: number;
  readonly endOffset: number;
  /** 1-based, inclusive. */
  readonly pageFrom: number;
  readonly pageTo: number;
  /** Headings from the outermost to the innermost that the chunk stands under. */
  readonly headingPath: readonly string[];
  /** Repeated context that is embedded in front of `text` but is no part of it (a table's header row); may be ''. */
  readonly prefix: string;
  /** Tokens of `prefix + text` by the embedding model's tokenizer, special tokens included. */
  readonly tokenCount: number;
}

/** One page as the parser read it. Page numbers are 1-based. */
export type ParsedPage =
  | { readonly pageNumber: number; readonly success: true; readonly markdown: string }
  | { readonly pageNumber: number; readonly success: false; readonly error: string };

/** Where a page starts in the joined Markdown, in UTF-16 code units. */
export interface PageOffset {
  readonly pageNumber: number;
  readonly startOffset: number;
}
