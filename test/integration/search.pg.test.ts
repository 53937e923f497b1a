import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  liveGenerations,
  matchingWords,
  nearestByIndex,
  nearestExactly,
} from '../../src/db/chunk-search.ts';
import { makeLive } from '../../src/db/generations.ts';
import { asOwner, createPool, inTransaction, type Pool } from '../../src/db/pool.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import type { OwnerId } from '../../src/domain/ids.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { createSearch } from '../../src/search/hybrid-search.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  addDocument,
  addLiveDocument,
  chunksOf,
  embedMissing,
  generationOf,
  newOwner,
  storeChunksOf,
} from '../support/library.ts';
import { wordEmbedder } from '../support/word-embedder.ts';

const embedder = wordEmbedder(384);
const signal = AbortSignal.timeout(60_000);
const benefits = [
  'You pay a copayment of 20 dollars for each visit to a doctor.',
  'Dental cleaning is covered twice a year without any cost.',
  'Emergency surgery abroad needs no approval before the treatment.',
];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

interface Overrides {
  readonly embedder?: Embedder;
  readonly vectorIndexFromChunks?: number;
}

/** Searches on both ways to the vectors, exactly and by the index, and expects one answer from them. */
async function search(ownerId: OwnerId, query: string, more = {}, overrides: Overrides = {}) {
  const answer = (vectorIndexFromChunks: number) =>
    createSearch({ pool, embedder, vectorIndexFromChunks, ...overrides })(
      ownerId,
      { query, k: 5, ...more },
      signal,
    );
  const exact = await answer(10_000);
  expect(await answer(0)).toEqual(exact);
  return exact;
}

async function cosine(a: string, b: string): Promise<number> {
  const [first = [], second = []] = await embedder.embed([a, b], signal);
  return first.reduce((sum, value, index) => sum + value * (second[index] ?? 0), 0);
}

const textsOf = (passages: readonly { readonly text: string }[]) =>
  passages.map(({ text }) => text);

describe('search', () => {
  it('answers with the passage, its place and how it was found; a neighbour found too is part of it', async () => {
    const ownerId = newOwner();
    const options = { name: 'my plan.pdf', headingPath: ['Benefits', 'Costs'] };
    const { id } = await addLiveDocument(pool, { ownerId, embedder }, benefits, options);
    const question = 'dental cleaning, doctor';
    const [first, ...others] = await search(ownerId, question);
    expect(first).toEqual({
      chunkId: expect.any(String),
      documentId: id,
      documentName: 'my plan.pdf',
      text: benefits.slice(0, 2).join(''),
      startOffset: 0,
      endOffset: benefits.slice(0, 2).join('').length,
      pageFrom: 1,
      pageTo: 2,
      headingPath: ['Benefits', 'Costs'],
      similarity: expect.closeTo(await cosine(question, benefits[1] ?? ''), 6),
      score: expect.any(Number),
      vectorRank: 1,
      keywordRank: 1,
    });
    expect(textsOf(others)).toEqual([benefits[2]]);
    expect(await search(ownerId, question, { k: 1 })).toEqual([first]);
  });

  it('never shows what is another owner’s, even under the same words', async () => {
    const [mine, theirs] = [newOwner(), newOwner()];
    await addLiveDocument(pool, { ownerId: mine, embedder }, ['My secret is 4711.']);
    const foreign = await addLiveDocument(pool, { ownerId: theirs, embedder }, [
      'Your secret is 4712.',
    ]);
    expect(textsOf(await search(mine, 'secret 4712'))).toEqual(['My secret is 4711.']);
    expect(await search(mine, 'secret', { documentIds: [foreign.id] })).toEqual([]);
    expect(await search(newOwner(), 'secret')).toEqual([]);
  });

  it('finds no unfinished, superseded or deleted content', async () => {
    const ownerId = newOwner();
    const document = await addLiveDocument(pool, { ownerId, embedder }, ['old refund rules']);
    const next = generationOf(document, embedder, { content: 'second' });
    await storeChunksOf(pool, next, chunksOf(['new refund rules']));
    await embedMissing(pool, next, embedder);
    const found = async () => textsOf(await search(ownerId, 'refund rules'));
    expect(await found()).toEqual(['old refund rules']);

    await inTransaction(pool, (transaction) => makeLive(transaction, document.id, next.id));
    expect(await found()).toEqual(['new refund rules']);

    await pool.query(
      'update intake.documents set deleted_at = now(), live_generation_id = null where id = $1',
      [document.id],
    );
    expect(await found()).toEqual([]);
  });

  it('looks only into the documents that were named', async () => {
    const ownerId = newOwner();
    const add = (text: string) => addLiveDocument(pool, { ownerId, embedder }, [text]);
    const [first, second] = [await add('deductible of plan A'), await add('deductible of plan B')];
    await add('deductible of plan C');
    const documentIds = [first.id, second.id];
    const passages = await search(ownerId, 'deductible plan', { documentIds });
    expect(textsOf(passages).sort()).toEqual(['deductible of plan A', 'deductible of plan B']);
  });

  it('uses vectors alone for a question of stop words', async () => {
    const ownerId = newOwner();
    for (const text of benefits) await addLiveDocument(pool, { ownerId, embedder }, [text]);
    const passages = await search(ownerId, 'what is it that you are');
    expect(passages).toHaveLength(3);
    expect(passages.every(({ keywordRank }) => keywordRank === undefined)).toBe(true);
  });

  it('reads each document by its own language', async () => {
    const ownerId = newOwner();
    const add = (text: string, textSearchConfig: string) =>
      addLiveDocument(pool, { ownerId, embedder }, [text], { textSearchConfig });
    await add('Zuzahlungen für Behandlungen', 'german');
    await add('copayments for treatments', 'english');
    await add('copay treat', 'simple');
    const keywordHits = async (query: string) =>
      textsOf((await search(ownerId, query)).filter(({ keywordRank }) => keywordRank));
    expect(await keywordHits('die Zuzahlung')).toEqual(['Zuzahlungen für Behandlungen']);
    expect(await keywordHits('copayment')).toEqual(['copayments for treatments']);
  });

  it('compares no vectors of two models, and finds the other model’s chunks by their words', async () => {
    const ownerId = newOwner();
    const wide = wordEmbedder(1536);
    const namesake = wordEmbedder(384, 'another-model');
    await addLiveDocument(pool, { ownerId, embedder }, ['hospital stay, narrow']);
    await addLiveDocument(pool, { ownerId, embedder: wide }, ['hospital stay, wide']);
    await addLiveDocument(pool, { ownerId, embedder: namesake }, ['hospital stay, other']);
    for (const own of [embedder, wide, namesake]) {
      const passages = await search(ownerId, 'hospital stay', {}, { embedder: own });
      expect(passages).toHaveLength(3);
      const withVector = passages.filter(({ vectorRank }) => vectorRank !== undefined);
      expect(withVector).toHaveLength(1);
      expect(withVector[0]?.similarity).toBeGreaterThan(0);
      const byWords = passages.filter(({ vectorRank }) => vectorRank === undefined);
      expect(byWords.map(({ similarity }) => similarity)).toEqual([undefined, undefined]);
    }
  });

  it('is not upset by a zero vector, whose distance is NaN', async () => {
    const ownerId = newOwner();
    for (const text of benefits) await addLiveDocument(pool, { ownerId, embedder }, [text]);
    await pool.query(
      `update intake.vectors_384 v set embedding = array_fill(0::float4, array[384])::vector
       from intake.chunks c where c.id = v.chunk_id and c.owner_id = $1 and c.text = $2`,
      [ownerId, benefits[1]],
    );
    const passages = await search(ownerId, 'dental doctor surgery');
    const zero = passages.find(({ text }) => text === benefits[1]);
    expect(zero).toMatchObject({ vectorRank: undefined, similarity: undefined });
    expect(passages.every(({ score }) => score > 0)).toBe(true);
  });
});

describe('keywords', () => {
  it('count for more the rarer they are, and less the more they are repeated', async () => {
    const ownerId = newOwner();
    const common = Array<string>(20).fill('coverage coverage coverage coverage');
    const rare = 'a list of treatments with acupuncture and others';
    await addLiveDocument(pool, { ownerId, embedder }, [...common, rare]);
    const best = await asOwner(pool, ownerId, async (transaction) => {
      const generations = await liveGenerations(transaction, ownerId, undefined);
      const question = { ownerId, query: 'acupuncture coverage', generations, limit: 1 };
      return matchingWords(transaction, question);
    });
    const { rows } = await pool.query('select text from intake.chunks where id = any($1)', [best]);
    expect(rows).toEqual([{ text: rare }]);
  });
});

describe('a vector of zeros', () => {
  it('is near to nothing', async () => {
    const ownerId = newOwner();
    await addLiveDocument(pool, { ownerId, embedder }, benefits);
    const found = await asOwner(pool, ownerId, async (transaction) => {
      const generations = await liveGenerations(transaction, ownerId, undefined);
      const question = { vector: new Array<number>(384).fill(0), generations, limit: 5 };
      const exactly = await nearestExactly(transaction, question);
      return [exactly, await nearestByIndex(transaction, question)];
    });
    expect(found).toEqual([[], []]);
  });
});

describe('a search that cannot answer', () => {
  const ask = (query: string, other: Partial<Parameters<typeof createSearch>[0]> = {}) =>
    createSearch({ pool, embedder, vectorIndexFromChunks: 10_000, ...other })(
      newOwner(),
      { query, k: 5 },
      signal,
    );

  it.each(['', '  \n\t ', '\0'])('refuses a question without words: %j', async (query) => {
    await expect(ask(query)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('takes characters that Postgres does not', async () => {
    await expect(ask('cost\0s of \ud800care')).resolves.toEqual([]);
  });

  it('fails when the database is down, and is not empty', async () => {
    const connectionString = 'postgres://nobody@127.0.0.1:1/none';
    const dead = createPool({ connectionString, size: 1, onIdleError: () => undefined });
    await expect(ask('costs', { pool: dead })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    await dead.end();
  });

  it('fails as the embedder does', async () => {
    const embed = () => Promise.reject(new IntakeError('EMBEDDER_RATE_LIMITED'));
    await expect(ask('costs', { embedder: { ...embedder, embed } })).rejects.toMatchObject({
      code: 'EMBEDDER_RATE_LIMITED',
    });
  });
});

describe('asOwner', () => {
  it('reads one snapshot, whatever goes live meanwhile', async () => {
    const ownerId = newOwner();
    const document = await addLiveDocument(pool, { ownerId, embedder }, ['first']);
    const next = generationOf(document, embedder, { content: 'second' });
    await storeChunksOf(pool, next, chunksOf(['second']));
    const [before, after] = await asOwner(pool, ownerId, async (transaction) => {
      const seen = await liveGenerations(transaction, ownerId, undefined);
      await inTransaction(pool, (other) => makeLive(other, document.id, next.id));
      return [seen, await liveGenerations(transaction, ownerId, undefined)];
    });
    expect(after).toEqual(before);
  });

  it('sees the owner’s rows only, changes none, and leaves no rights behind', async () => {
    const mine = await addDocument(pool, newOwner());
    await addDocument(pool, newOwner());
    const ids = 'select id from intake.documents';
    const { rows } = await asOwner(pool, mine.ownerId, (transaction) => transaction.query(ids));
    expect(rows).toEqual([{ id: mine.id }]);
    const write = asOwner(pool, mine.ownerId, (transaction) =>
      transaction.query('delete from intake.documents'),
    );
    await expect(write).rejects.toThrow(/permission denied|read-only/);
    const one = createPool({
      connectionString: database.url,
      size: 1,
      onIdleError: () => undefined,
    });
    await asOwner(one, mine.ownerId, (transaction) => transaction.query(ids));
    expect((await one.query(ids)).rowCount).toBeGreaterThan(1);
    await one.end();
  });
});
