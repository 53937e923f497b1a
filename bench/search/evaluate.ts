/** How often the passage that answers a question is among the first results. */
import { liveGenerations, matchingWords, nearestExactly } from '../../src/db/chunk-search.ts';
import { asOwner, type Pool } from '../../src/db/pool.ts';
import type { ChunkId, DocumentId, OwnerId } from '../../src/domain/ids.ts';
import { type Fusion, fuseRanks } from '../../src/search/fuse-ranks.ts';
import { joinNeighbours, type Place } from '../../src/search/join-neighbours.ts';
import { isAnswer, type LabelledQuestion } from '../../test/support/labelled-questions.ts';

/** Both halves of the search for one question, and the passages that answer it. */
export interface Trial {
  readonly nearest: readonly ChunkId[];
  readonly matching: readonly ChunkId[];
  readonly answers: ReadonlySet<ChunkId>;
}

const CANDIDATES = 40;

export type Places = ReadonlyMap<ChunkId, Place & { readonly chunkId: ChunkId }>;

/** Where each of the owner's chunks stands. */
export async function placesOf(pool: Pool, ownerId: OwnerId): Promise<Places> {
  const { rows } = await pool.query<{ id: ChunkId; document_id: DocumentId; ordinal: number }>(
    'select id, document_id, ordinal from intake.chunks where owner_id = $1',
    [ownerId],
  );
  return new Map(
    rows.map(({ id, document_id: documentId, ordinal }) => [
      id,
      { chunkId: id, documentId, ordinal },
    ]),
  );
}

/** The chunks that hold the words of an answer, on one of its pages. */
export async function answersTo(
  pool: Pool,
  ownerId: OwnerId,
  label: LabelledQuestion,
): Promise<ReadonlySet<ChunkId>> {
  const { rows } = await pool.query<{ id: ChunkId; text: string; from: number; to: number }>(
    `select c.id, c.prefix || c.text as text, c.page_from as "from", c.page_to as "to"
     from intake.chunks c join intake.documents d on d.id = c.document_id
     where d.owner_id = $1 and d.name = $2`,
    [ownerId, label.document],
  );
  const answers = rows.filter(({ text, from, to }) => isAnswer(label, { text, from, to }));
  return new Set(answers.map(({ id }) => id));
}

export function searchBothHalves(
  pool: Pool,
  ownerId: OwnerId,
  { query, vector }: { readonly query: string; readonly vector: readonly number[] },
): Promise<Pick<Trial, 'nearest' | 'matching'>> {
  return asOwner(pool, ownerId, async (transaction) => {
    const generations = await liveGenerations(transaction, ownerId, undefined);
    const limit = CANDIDATES;
    return {
      matching: await matchingWords(transaction, { ownerId, query, generations, limit }),
      nearest: await nearestExactly(transaction, { vector, generations, limit }),
    };
  });
}

export interface Scores {
  readonly 'R@1': number;
  readonly 'R@5': number;
  readonly 'R@10': number;
  readonly MRR: number;
}

export function scoresOf(trials: readonly Trial[], places: Places, fusion: Fusion): Scores {
  const ranks = trials.map(({ nearest, matching, answers }) => {
    const fused = fuseRanks(
      fusion.vector > 0 ? nearest : [],
      fusion.keyword > 0 ? matching : [],
      fusion,
    );
    const passages = joinNeighbours(fused.flatMap(({ chunkId }) => places.get(chunkId) ?? []));
    const place = passages.findIndex((chunks) =>
      chunks.some((chunk) => chunk && answers.has(chunk.chunkId)),
    );
    return place === -1 ? Number.POSITIVE_INFINITY : place + 1;
  });
  const share = (k: number) => round(ranks.filter((rank) => rank <= k).length / ranks.length);
  const reciprocal = ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length;
  return { 'R@1': share(1), 'R@5': share(5), 'R@10': share(10), MRR: round(reciprocal) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
