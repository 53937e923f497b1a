/** What is packed: a block, or a part of a block that was too long, with its estimated tokens. */
import { IntakeError } from '../domain/errors.ts';
import type { TokenCounter } from '../embedding/embedder.ts';
import { type Cut, cutsByKind } from './cut-text.ts';
import type { Block } from './read-blocks.ts';
import { tableHeader } from './table-header.ts';

export interface Limits {
  readonly counter: TokenCounter;
  /** Most tokens of a chunk, prefix and special tokens included. */
  readonly maxTokens: number;
}

export interface Unit {
  readonly block: Block;
  readonly start: number;
  readonly end: number;
  /** Cuts still to be tried, best first. */
  readonly cuts: readonly Cut[];
  /** Without special tokens; infinite when it is too long to be worth counting. */
  readonly tokens: number;
}

/** No text is longer: a tokenizer may see one token in a long run of letters, blanks or dashes. */
const CHARACTERS_PER_TOKEN = 16;

export class UnitMaker {
  readonly specials: number;
  readonly maxLength: number;
  readonly #markdown: string;
  readonly #counter: TokenCounter;

  constructor(markdown: string, { counter, maxTokens }: Limits) {
    this.specials = counter.count('');
    this.maxLength = maxTokens * CHARACTERS_PER_TOKEN;
    this.#markdown = markdown;
    this.#counter = counter;
  }

  ofBlock(block: Block): readonly Unit[] {
    return this.#make(block, [block.start, block.end], cutsByKind[block.kind]);
  }

  divide({ block, start, end, cuts }: Unit): readonly Unit[] {
    const text = this.#markdown.slice(start, end);
    for (const [rung, cut] of cuts.entries()) {
      const offsets = cut(text);
      if (offsets.length === 0) continue;
      const bounds = [start, ...offsets.map((offset) => start + offset), end];
      const rest = rung + 1 < cuts.length ? cuts.slice(rung + 1) : [cut];
      return this.#make(block, bounds, rest);
    }
    throw new IntakeError('DOCUMENT_CHUNKING_FAILED', {
      detail: 'one character is over the token limit',
    });
  }

  /** Header of the table that the unit is a later part of. */
  headerAbove({ block, start }: Unit): string {
    if (start === block.start) return '';
    return tableHeader(block.kind, this.#markdown.slice(block.start, start));
  }

  #make(block: Block, bounds: readonly number[], cuts: readonly Cut[]): readonly Unit[] {
    const units: Unit[] = [];
    for (const [index, end] of bounds.slice(1).entries()) {
      const start = bounds[index] ?? end;
      const text = this.#markdown.slice(start, end).trimEnd();
      if (text.trim() !== '') units.push({ block, start, end, cuts, tokens: this.#tokens(text) });
    }
    return units;
  }

  /** Blanks at the end mostly melt into a neighbour's token. */
  #tokens(text: string): number {
    if (text.length > this.maxLength) return Number.POSITIVE_INFINITY;
    return this.#counter.count(text) - this.specials;
  }
}
