/**
 * Measures search on the labelled questions: vectors alone, keywords alone, and fused at several weights and dampings.
 * `node bench/search/main.ts`; takes about two minutes, most of it for embedding.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenCounter } from '../../src/chunking/count-tokens.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { startEmbeddingStandIn } from '../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import { unpackOcrData } from '../../src/dev/parser-stand-in/ocr-data.ts';
import { startPostgres } from '../../src/dev/postgres-server.ts';
import { embeddingModelFiles } from '../../src/dev/tools.ts';
import type { OwnerId } from '../../src/domain/ids.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { createOpenAiEmbedder } from '../../src/embedding/openai-embedder.ts';
import type { Fusion } from '../../src/search/fuse-ranks.ts';
import { FUSION } from '../../src/search/hybrid-search.ts';
import { fixturePath, labelledQuestions } from '../../test/support/labelled-questions.ts';
import {
  addDocument,
  complete,
  embedMissing,
  generationOf,
  newOwner,
  storeChunksOf,
} from '../../test/support/library.ts';
import { unlimited } from '../../test/support/unlimited.ts';
import {
  answersTo,
  type Places,
  placesOf,
  scoresOf,
  searchBothHalves,
  type Trial,
} from './evaluate.ts';
import { readDocument } from './read-document.ts';

const MAX_TOKENS = 256;
const API_KEY = 'bench';

await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'intake-bench-search-'));
  const postgres = await startPostgres({
    dataDirectory: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    disposable: true,
  });
  const model = await startEmbeddingStandIn({ apiKey: API_KEY });
  const { url: connectionString } = postgres;
  const pool = createPool({ connectionString, size: 2, onIdleError: () => undefined });
  try {
    await migrate(connectionString);
    const library = { pool, ownerId: newOwner(), embedder: embedderAt(`${model.url}/v1`) };
    const chunks = await loadDocuments(library, unpackOcrData(folder));
    const trials = await askQuestions(library);
    console.log(`${trials.length} questions, ${chunks} chunks`);
    print(trials, await placesOf(pool, library.ownerId));
  } finally {
    await pool.end();
    await model.close();
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

function embedderAt(baseUrl: string): Embedder {
  return createOpenAiEmbedder({
    baseUrl,
    apiKey: API_KEY,
    model: 'all-MiniLM-L6-v2',
    dimensions: 384,
    batchSize: 64,
    timeoutMs: 120_000,
    withinBudget: unlimited,
  });
}

interface Library {
  readonly pool: Pool;
  readonly ownerId: OwnerId;
  readonly embedder: Embedder;
}

/** All documents of one owner, so that each question has the others' chunks against it. Answers how many chunks. */
async function loadDocuments(
  { pool, ownerId, embedder }: Library,
  ocrDataFolder: string,
): Promise<number> {
  const counter = await createTokenCounter(embeddingModelFiles().tokenizer);
  let count = 0;
  for (const name of new Set(labelledQuestions().map(({ document }) => document))) {
    const options = { ocrDataFolder, counter, maxTokens: MAX_TOKENS };
    const { chunks, textSearchConfig } = await readDocument(fixturePath(name), options);
    const document = await addDocument(pool, ownerId, name);
    const generation = generationOf(document, embedder, { textSearchConfig });
    await storeChunksOf(pool, generation, chunks);
    await embedMissing(pool, generation, embedder);
    await complete(pool, document, generation);
    count += chunks.length;
  }
  return count;
}

async function askQuestions({ pool, ownerId, embedder }: Library): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for (const label of labelledQuestions()) {
    const answers = await answersTo(pool, ownerId, label);
    if (answers.size === 0) throw new Error(`no chunk holds: ${label.expect}`);
    const [vector = []] = await embedder.embed([label.question], AbortSignal.timeout(60_000));
    const halves = await searchBothHalves(pool, ownerId, { query: label.question, vector });
    trials.push({ ...halves, answers });
  }
  return trials;
}

function print(trials: readonly Trial[], places: Places): void {
  const row = (name: string, fusion: Fusion) => [name, scoresOf(trials, places, fusion)] as const;
  const fused = [5, 10, 60].flatMap((damping) =>
    [1, 1.25, 1.5, 2, 3].map((vector) =>
      row(`vectors ${vector} : keywords 1, damping ${damping}`, { vector, keyword: 1, damping }),
    ),
  );
  console.table(
    Object.fromEntries([
      row('vectors alone', { vector: 1, keyword: 0, damping: 5 }),
      row('keywords alone', { vector: 0, keyword: 1, damping: 5 }),
      ...fused,
      row('as configured', FUSION),
    ]),
  );
}
