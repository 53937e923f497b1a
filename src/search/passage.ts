/** What search answers with: a chunk, or two that stand behind one another. */
import type { StoredChunk } from '../db/passages.ts';
import type { FusedChunk } from './fuse-ranks.ts';
import type { Joined } from './join-neighbours.ts';

/**
 * Untrusted text: it is quoted from an uploaded document. Of two chunks, id, ranks, score and similarity are the better
 * one's, and the heading path is the one under which the passage begins.
 */
export type Passage = Omit<StoredChunk, 'ordinal'> & FusedChunk;

export function toPassage([best, other]: Joined<StoredChunk & FusedChunk>): Passage {
  const { ordinal, ...passage } = best;
  if (!other) return passage;
  const [first, last] = other.ordinal < ordinal ? [other, best] : [best, other];
  return {
    ...passage,
    text: `${first.text}${blanksBetween(first, last)}${last.text}`,
    startOffset: first.startOffset,
    endOffset: last.endOffset,
    pageFrom: first.pageFrom,
    pageTo: last.pageTo,
    headingPath: first.headingPath,
  };
}

/** Only blanks lie between two chunks, and no chunk stores them: a line break or a blank line means the same. */
function blanksBetween(first: StoredChunk, last: StoredChunk): string {
  return '\n'.repeat(Math.min(2, last.startOffset - first.endOffset));
}
