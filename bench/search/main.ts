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
import { FUSION } from '../../src/search/hybrid-search.ts';
import {
  addDocument,
  complete,
  embedMissing,
  generationOf,
  newOwner,
  storeChunksOf,
} from '../../test/support/library.ts';
import { answersTo, scoresOf, searchBothHalves, type Trial } from './evaluate.ts';
import { fixturePath, labelledQuestions } from './labelled-questions.ts';
import { readDocument } from './read-document.ts';

const MAX_TOKENS = 256;
const API_KEY = 'bench';

const folder = mkdtempSync(join(tmpdir(), 'intake-bench-search-'));
const postgres = await startPostgres({
  dataDirectory: join(folder, 'postgres'),
  logFile: join(folder, 'postgres.log'),
  disposable: true,
});
const model = await startEmbeddingStandIn({ apiKey: API_KEY });
const pool = createPool({ connectionString: postgres.url, size: 2, onIdleError: () => undefined });
try {
  await migrate(postgres.url);
  const embedder = createOpenAiEmbedder({
    baseUrl: `${model.url}/v1`,
    apiKey: API_KEY,
    model: 'all-MiniLM-L6-v2',
    dimensions: 384,
    batchSize: 64,
    timeoutMs: 600_000,
  });
  const ownerId = newOwner();
  const chunks = await loadDocuments(pool, ownerId, embedder);
  const trials = await askQuestions(pool, ownerId, embedder);
  console.log(`${trials.length} questions, ${chunks} chunks`);
  print(trials);
} finally {
  await pool.end();
  await model.close();
  await postgres.stop();
  rmSync(folder, { recursive: true });
}

/** All documents of one owner, so that each question has the others' chunks against it. */
async function loadDocuments(pool: Pool, ownerId: OwnerId, embedder: Embedder): Promise<number> {
  const ocrDataFolder = unpackOcrData(folder);
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

async function askQuestions(
  pool: Pool,
  ownerId: OwnerId,
  embedder: Embedder,
): Promise<readonly Trial[]> {
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

function print(trials: readonly Trial[]): void {
  const row = (name: string, vector: number, keyword: number, damping: number) =>
    [name, scoresOf(trials, { vector, keyword, damping })] as const;
  const fused = [5, 10, 60].flatMap((damping) =>
    [1, 1.25, 1.5, 2, 3].map((weight) =>
      row(`vectors ${weight} : keywords 1, damping ${damping}`, weight, 1, damping),
    ),
  );
  console.table(
    Object.fromEntries([
      row('vectors alone', 1, 0, 5),
      row('keywords alone', 0, 1, 5),
      ...fused,
      row('as configured', FUSION.vector, FUSION.keyword, FUSION.damping),
    ]),
  );
}
