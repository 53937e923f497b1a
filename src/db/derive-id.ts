/** Deterministic ids: UUIDv5 under the original system's namespace, so that old rows and new ones agree. */
import { v5 } from 'uuid';
import type { ChunkId, DocumentId, GenerationId, OwnerId } from '../domain/ids.ts';

const NAMESPACE = '6c8a1e6e-1f0b-4aa8-9f0a-1a7c2e6f2b42';

/** `{owner}:{sha256}`, from incarnation 2 on `{owner}:{sha256}:{n}`. */
export function deriveDocumentId(
  ownerId: OwnerId,
  sha256: string,
  incarnation: number,
): DocumentId {
  const name = `${ownerId}:${sha256}`;
  return v5(incarnation === 1 ? name : `${name}:${incarnation}`, NAMESPACE) as DocumentId;
}

export interface GenerationIdentity {
  readonly documentId: DocumentId;
  readonly markdownSha256: string;
  /** Name and version, as in `markdown-blocks@1`. */
  readonly chunker: string;
  readonly tokenizer: string;
  readonly maxTokens: number;
  readonly embeddingModel: string;
  readonly dimensions: number;
}

/** The same content, chunker and model give the same generation, so that a retry reuses chunks and vectors. */
export function deriveGenerationId(identity: GenerationIdentity): GenerationId {
  const name = [
    identity.documentId,
    identity.markdownSha256,
    identity.chunker,
    identity.tokenizer,
    identity.maxTokens,
    identity.embeddingModel,
    identity.dimensions,
  ].join(':');
  return v5(name, NAMESPACE) as GenerationId;
}

export function deriveChunkId(generationId: GenerationId, ordinal: number): ChunkId {
  return v5(`${generationId}:${ordinal}`, NAMESPACE) as ChunkId;
}
