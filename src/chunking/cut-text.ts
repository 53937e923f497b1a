/**
 * Where a block that is too long for one chunk may be cut, as ladders from the best cuts to the last
 * resort. A cut returns offsets strictly inside the text, ascending; none means: try the next rung.
 */
import type { BlockKind } from './read-blocks.ts';

export type Cut = (text: string) => readonly number[];

const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

/** Intl.Segmenter's time grows with the square of the length: 256,000 characters take 40 s, these 2 ms. */
const SEGMENTED_AT_ONCE = 2048;

const cutLines: Cut = (text) => offsetsBehind(text, /\n/g);

/** The header, its delimiter and the first row stay together. */
const cutTableRows: Cut = (text) => cutLines(text).slice(2);

const cutHtmlRows: Cut = (text) => offsetsBehind(text, /<\/tr\s*>/gi);

/** Items of the outermost list only: those indented no deeper than the first. */
const cutItems: Cut = (text) => {
  const indent = text.search(/\S/);
  return offsetsBehind(text, new RegExp(`\\n(?= {0,${indent + 1}}(?:[-*+]|\\d{1,9}[.)])\\s)`, 'g'));
};

const cutNestedItems: Cut = (text) => offsetsBehind(text, /\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])\s)/g);

/** Line breaks inside a paragraph end no sentence. */
const cutSentences: Cut = (text) => segmentStarts(text.replaceAll(/\s/g, ' '), sentences);

const cutAtBlanks: Cut = (text) => offsetsBehind(text, /\S(?=\s)/g);

/** For scripts without blanks; stands behind `cutAtBlanks`, which keeps `don't` and `3.5` whole. */
const cutWords: Cut = (text) => segmentStarts(text, words);

/** An unbroken run: halves, down to one character. */
const cutInHalf: Cut = (text) => {
  const middle = Math.ceil(text.length / 2);
  const offset = isLowSurrogate(text, middle) ? middle + 1 : middle;
  return offset < text.length ? [offset] : [];
};

const proseCuts = [cutSentences, cutAtBlanks, cutWords, cutInHalf];

export const cutsByKind: Readonly<Record<BlockKind, readonly Cut[]>> = {
  heading: proseCuts,
  prose: proseCuts,
  list: [cutItems, cutNestedItems, ...proseCuts],
  code: [cutLines, cutAtBlanks, cutWords, cutInHalf],
  table: [cutTableRows, cutLines, cutAtBlanks, cutWords, cutInHalf],
  html: [cutHtmlRows, cutLines, ...proseCuts],
};

/** True when a cut at `offset` would part a surrogate pair. */
export function isLowSurrogate(text: string, offset: number): boolean {
  const unit = text.charCodeAt(offset);
  return unit >= 0xdc00 && unit <= 0xdfff && offset > 0;
}

function offsetsBehind(text: string, separator: RegExp): readonly number[] {
  return Array.from(text.matchAll(separator), (match) => match.index + match[0].length).filter(
    (offset) => offset > 0 && offset < text.length,
  );
}

/** Every segment's start but the first, read window by window; the last of a window is read again with the next. */
function segmentStarts(text: string, segmenter: Intl.Segmenter): readonly number[] {
  const starts: number[] = [];
  let from = 0;
  while (from < text.length) {
    const segments = segmenter.segment(text.slice(from, from + SEGMENTED_AT_ONCE));
    const inner = Array.from(segments, ({ index }) => from + index).slice(1);
    starts.push(...inner);
    const windowEnd = from + SEGMENTED_AT_ONCE;
    from = windowEnd < text.length ? (inner.at(-1) ?? windowEnd) : text.length;
  }
  return starts;
}
