/** Chunks that stand behind one another answer as one passage, so that five results are five places to look at. */
import type { DocumentId } from '../domain/ids.ts';

/** Where a chunk stands. */
export interface Place {
  readonly documentId: DocumentId;
  readonly ordinal: number;
}

/** The chunk that was ranked first, and a neighbour that came after it. */
export type Joined<Chunk> = readonly [Chunk, Chunk?];

/**
 * Best first: a chunk joins the best one before it that is its neighbour and still alone. How many results are wanted
 * plays no part, so fewer results are always the first of more.
 */
export function joinNeighbours<Chunk extends Place>(
  ranked: readonly Chunk[],
): readonly Joined<Chunk>[] {
  const passages: [Chunk, Chunk?][] = [];
  for (const chunk of ranked) {
    const passage = passages.find(([first, second]) => !second && areNeighbours(first, chunk));
    if (passage) passage.push(chunk);
    else passages.push([chunk]);
  }
  return passages;
}

function areNeighbours(a: Place, b: Place): boolean {
  return a.documentId === b.documentId && Math.abs(a.ordinal - b.ordinal) === 1;
}
