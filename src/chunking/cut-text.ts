/**
 * Where a block that is too long for one chunk may be cut, as ladders from the best cuts to the last
 * resort. A cut returns offsets strictly inside the text, ascending; none means: try the next rung.
 */
import type { BlockKind } from './read-blocks.ts';

export type Cut = (text: string) => readonly number[];

const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

/** Hand Intl.Segmenter no more than this at a time: it is slow at long texts. */
const LONGEST_SEGMENTED = 16 * 1024;

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

const cutAtBlanks: Cut = (text) => offsetsBehind(text, /\s+/g);

/** For scripts without blanks; stands behind `cutAtBlanks`, so that `don't` and `3.5` stay whole. */
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

function segmentStarts(text: string, segmenter: Intl.Segmenter): readonly number[] {
  const starts: number[] = [];
  for (let from = 0; from < text.length; from += LONGEST_SEGMENTED) {
    for (const { index } of segmenter.segment(text.slice(from, from + LONGEST_SEGMENTED))) {
      const offset = from + index;
      if (offset > 0 && !isLowSurrogate(text, offset)) starts.push(offset);
    }
  }
  return starts;
}
