import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunksWithoutVector, storeVectors } from '../../src/db/chunks.ts';
import { deriveChunkId } from '../../src/db/derive-id.ts';
import { chunkCount, makeLive, proveGeneration } from '../../src/db/generations.ts';
import { inTransaction, type Pool } from '../../src/db/pool.ts';
import type { DocumentId } from '../../src/domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  addDocument,
  addLiveDocument,
  chunksOf,
  complete,
  embedMissing,
  generationOf,
  newOwner,
  storeChunksOf,
} from '../support/library.ts';
import { wordEmbedder } from '../support/word-embedder.ts';

const embedder = wordEmbedder(384);
const texts = ['The copayment is 20 dollars.', 'Dental care is covered.', 'Ask before surgery.'];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

/** A document with a stored generation that has no vectors yet. */
async function storedGeneration(chunks = chunksOf(texts), options = {}) {
  const document = await addDocument(pool, newOwner());
  const generation = generationOf(document, embedder, options);
  await storeChunksOf(pool, generation, chunks);
  return { document, generation };
}

/** Every row of a generation, write times included: what an idempotent repeat must not touch. */
async function snapshot(generationId: string) {
  const tables = ['generations g where g.id', 'chunks g where g.generation_id'];
  const more = ['generation_terms g where g.generation_id', 'vectors_384 g where g.generation_id'];
  const rows = [];
  for (const from of [...tables, ...more]) {
    const result = await pool.query(
      `select g.xmin, g.* from intake.${from} = $1 order by g::text collate "C"`,
      [generationId],
    );
    rows.push(result.rows);
  }
  return rows;
}

describe('storeGeneration', () => {
  it('stores every chunk as it is, with a derived id', async () => {
    const chunks = chunksOf(
      ['Ünïcode “quotes” \\ {braces} \t| a | b |', 'a, "b", NULL'],
      ['Plan {A}', 'Costs, "in network"'],
    ).map((chunk) => ({ ...chunk, prefix: '| head |\n' }));
    const { generation } = await storedGeneration(chunks);
    const { rows } = await pool.query(
      'select * from intake.chunks where generation_id = $1 order by ordinal',
      [generation.id],
    );
    expect(rows).toHaveLength(2);
    for (const [index, row] of rows.entries()) {
      const { text, prefix, startOffset, endOffset, headingPath, tokenCount } = {
        ...chunks[index],
      };
      expect(row).toMatchObject({
        id: deriveChunkId(generation.id, index),
        owner_id: generation.ownerId,
        text,
        prefix,
        start_offset: startOffset,
        end_offset: endOffset,
        page_from: index + 1,
        page_to: index + 1,
        heading_path: headingPath,
        token_count: tokenCount,
      });
    }
    expect(await chunkCount(pool, generation.id)).toBe(2);
  });

  it('changes nothing when it is repeated, at once or by two workers at the same time', async () => {
    const { document, generation } = await storedGeneration();
    await embedMissing(pool, generation, embedder);
    const before = await snapshot(generation.id);
    expect(before.map((rows) => rows.length)).toEqual([1, 3, expect.any(Number), 3]);
    const again = () => storeChunksOf(pool, generation, chunksOf(texts));
    await Promise.all([again(), again()]);
    await embedMissing(pool, generation, embedder);
    expect(await snapshot(generation.id)).toEqual(before);
    await complete(pool, document, generation);
  });

  it('finds words of headings and of the repeated header row, and stems by the configuration', async () => {
    const chunks = chunksOf(['Copayments apply.'], ['Emergency rooms']).map((chunk) => ({
      ...chunk,
      prefix: 'Deductible ',
    }));
    const lexemes = async (textSearchConfig: string) => {
      const { generation } = await storedGeneration(chunks, { textSearchConfig });
      const { rows } = await pool.query<{ lexeme: string }>(
        'select lexeme from intake.generation_terms where generation_id = $1 order by lexeme collate "C"',
        [generation.id],
      );
      return rows.map(({ lexeme }) => lexeme);
    };
    expect(await lexemes('english')).toEqual(['appli', 'copay', 'deduct', 'emerg', 'room']);
    expect(await lexemes('simple')).toEqual([
      ...['apply', 'copayments', 'deductible', 'emergency', 'rooms'],
    ]);
  });

  it('takes a text whose lexemes would not fit into a tsvector', async () => {
    const words = Array.from({ length: 200_000 }, (_, index) => `w${index.toString(36)}-x${index}`);
    const longest = 'y'.repeat(2_046);
    const { generation } = await storedGeneration(chunksOf([words.join(' '), longest]));
    const { rows } = await pool.query<{ words: number }>(
      'select length(lexemes) as words from intake.chunks where generation_id = $1 order by ordinal',
      [generation.id],
    );
    expect(rows[0]?.words).toBeGreaterThan(1000);
    expect(rows[1]?.words).toBe(1);
  });
});

describe('chunksWithoutVector', () => {
  it('gives prefix and text of what is missing, short ones first', async () => {
    const chunks = chunksOf(['one two three four', 'one', 'one two']).map((chunk) => ({
      ...chunk,
      prefix: '| h |\n',
    }));
    const { generation } = await storedGeneration(chunks);
    const missing = () => chunksWithoutVector(pool, generation.id, 384);
    const [first, ...others] = await missing();
    expect(first).toEqual({
      chunkId: deriveChunkId(generation.id, 1),
      ordinal: 1,
      input: '| h |\none',
      tokenCount: 3,
    });
    expect(others.map(({ ordinal }) => ordinal)).toEqual([2, 0]);
    const target = { generationId: generation.id, dimensions: 384 };
    const vector = new Array<number>(384).fill(0.1);
    await storeVectors(pool, target, [{ chunkId: deriveChunkId(generation.id, 1), vector }]);
    expect((await missing()).map(({ ordinal }) => ordinal)).toEqual([2, 0]);
  });
});

describe('storeVectors', () => {
  it('refuses a vector of another width or a foreign chunk', async () => {
    const { generation } = await storedGeneration();
    const other = await storedGeneration();
    const target = { generationId: generation.id, dimensions: 384 };
    const chunkId = deriveChunkId(generation.id, 0);
    await expect(storeVectors(pool, target, [{ chunkId, vector: [1, 2] }])).rejects.toThrow('384');
    const unknown = { generationId: generation.id, dimensions: 768 };
    await expect(storeVectors(pool, unknown, [{ chunkId, vector: [1] }])).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
    });
    const vector = new Array<number>(384).fill(0.1);
    const foreign = deriveChunkId(other.generation.id, 0);
    await storeVectors(pool, target, [{ chunkId: foreign, vector }]);
    expect(await chunksWithoutVector(pool, other.generation.id, 384)).toHaveLength(3);
  });
});

describe('proveGeneration', () => {
  /** A whole generation, damaged by `damage`, must not be proven. */
  async function proofAfter(damage: string) {
    const { generation } = await storedGeneration();
    await embedMissing(pool, generation, embedder);
    expect(await proveGeneration(pool, generation.id)).toMatchObject({ chunks: 3, vectors: 3 });
    await pool.query(damage.replaceAll(':id', `'${generation.id}'`));
    return proveGeneration(pool, generation.id);
  }
  const zeros = `array_fill(0::float4, array[384])::vector`;
  const chunk = `(select id from intake.chunks where generation_id = :id and ordinal = 1)`;

  it.each([
    ['a vector is missing', `delete from intake.vectors_384 where chunk_id = ${chunk}`],
    [
      'a vector is zero',
      `update intake.vectors_384 set embedding = ${zeros} where chunk_id = ${chunk}`,
    ],
    ['a chunk is missing', `delete from intake.chunks where id = ${chunk}`],
    ['words are missing', `delete from intake.generation_terms where generation_id = :id`],
    [
      'a vector is another owner’s',
      `update intake.vectors_384 set owner_id = gen_random_uuid() where chunk_id = ${chunk}`,
    ],
  ])('is red when %s', async (_, damage) => {
    await expect(proofAfter(damage)).rejects.toMatchObject({ code: 'EMBEDDINGS_UNPROVEN' });
  });

  it('is red for a generation that is not there', async () => {
    const id = generationOf(await addDocument(pool, newOwner()), embedder).id;
    await expect(proveGeneration(pool, id)).rejects.toMatchObject({ code: 'EMBEDDINGS_UNPROVEN' });
  });

  it('is green for chunks of equal text and for a chunk without any word', async () => {
    const { generation } = await storedGeneration(
      chunksOf(['same text', 'same text', '--- | ---']),
    );
    await embedMissing(pool, generation, embedder);
    await expect(proveGeneration(pool, generation.id)).resolves.toMatchObject({ chunks: 3 });
  });
});

describe('makeLive', () => {
  const generationsOf = async (documentId: DocumentId) => {
    const { rows } = await pool.query<{ id: string }>(
      'select id from intake.generations where document_id = $1',
      [documentId],
    );
    return rows.map(({ id }) => id);
  };

  it('switches to the new generation and removes the one before with everything in it', async () => {
    const document = await addLiveDocument(pool, { ownerId: newOwner(), embedder }, texts);
    const next = generationOf(document, embedder, { content: 'second' });
    await storeChunksOf(pool, next, chunksOf(['new text']));
    await embedMissing(pool, next, embedder);
    const first = (await generationsOf(document.id)).find((id) => id !== next.id) ?? '';
    await inTransaction(pool, (transaction) => makeLive(transaction, document.id, next.id));
    expect(await generationsOf(document.id)).toEqual([next.id]);
    expect((await snapshot(first)).flat()).toEqual([]);
    const { rows } = await pool.query(
      `select d.live_generation_id = g.id as live, g.completed_at is not null as completed
       from intake.documents d join intake.generations g on g.document_id = d.id where d.id = $1`,
      [document.id],
    );
    expect(rows).toEqual([{ live: true, completed: true }]);
  });

  it('loses against a tombstone', async () => {
    const { document, generation } = await storedGeneration();
    await pool.query(
      `update intake.documents set deleted_at = now(), sha256 = null where id = $1`,
      [document.id],
    );
    const late = inTransaction(pool, (transaction) =>
      makeLive(transaction, document.id, generation.id),
    );
    await expect(late).rejects.toMatchObject({ code: 'DOCUMENT_DELETED' });
  });
});
