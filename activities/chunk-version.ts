/** Markdown to chunks of one generation. Idempotent: the same content, chunker and model give the same ids. */
import { type Attempt, advance } from '../src/db/attempts.ts';
import { deriveGenerationId } from '../src/db/derive-id.ts';
import { setTextSearchConfig } from '../src/db/documents.ts';
import { storeGeneration } from '../src/db/generations.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { GenerationId } from '../src/domain/ids.ts';
import type { AttemptScope } from './attempt-scope.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Markdown } from './stored-markdown.ts';

/** The generation that this version has under the present chunker, tokenizer and embedding model. */
export function generationOf(
  { chunking, embedder }: ActivityDependencies,
  documentId: Attempt['documentId'],
  markdownSha256: string,
): GenerationId {
  const { chunker, tokenizer, maxTokens } = chunking;
  const { model: embeddingModel, dimensions } = embedder;
  return deriveGenerationId({
    documentId,
    markdownSha256,
    chunker,
    tokenizer,
    maxTokens,
    embeddingModel,
    dimensions,
  });
}

/** Splits and stores; `chunks_stored` is written with the chunks. */
export async function chunkVersion(
  dependencies: ActivityDependencies,
  scope: AttemptScope,
  markdown: Markdown,
): Promise<{ readonly chunks: number }> {
  const { chunking, embedder } = dependencies;
  const { chunks, textSearchConfig } = await chunking.split(
    markdown.text,
    markdown.pageOffsets,
    scope.signal,
  );
  if (chunks.length === 0)
    throw new IntakeError('NO_DATA_FOUND_IN_FILE', { detail: 'no chunk has text' });
  await scope.hold(async (transaction, held) => {
    const { documentId, ownerId, version } = held;
    const generation = {
      id: generationOf(dependencies, documentId, markdown.sha256),
      documentId,
      ownerId,
      versionId: version.id,
      markdownSha256: markdown.sha256,
      chunker: chunking.chunker,
      tokenizer: chunking.tokenizer,
      maxTokens: chunking.maxTokens,
      embeddingModel: embedder.model,
      dimensions: embedder.dimensions,
      textSearchConfig,
    };
    await storeGeneration(transaction, generation, chunks);
    await Promise.all([
      setTextSearchConfig(transaction, documentId, textSearchConfig),
      advance(transaction, held, ['chunks_stored']),
    ]);
  });
  return { chunks: chunks.length };
}
