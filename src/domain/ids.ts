/**
 * Branded ids. A brand is given once, where a string enters the process (`parse…`), and is carried
 * from there on, so that a document id can never stand where an attempt id is asked for.
 * Deterministic ids (UUIDv5) are derived in `src/db/derive-id.ts`, which needs SHA-1.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The JWT's subject: owner and tenant are the same. */
export type OwnerId = Branded<'OwnerId'>;
/** An owner's logical file; keeps its id over versions and attempts. */
export type DocumentId = Branded<'DocumentId'>;
/** One content (SHA-256) of a document. */
export type VersionId = Branded<'VersionId'>;
/** One run for one version; random, since it fences writes. */
export type AttemptId = Branded<'AttemptId'>;
/** Our id of one paid parse call; never the vendor's. */
export type ParseJobId = Branded<'ParseJobId'>;
/** One set of chunks: a hash over Markdown, chunker, tokenizer and embedding model. */
export type GenerationId = Branded<'GenerationId'>;
export type ChunkId = Branded<'ChunkId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export type UuidBrand =
  | OwnerId
  | DocumentId
  | VersionId
  | AttemptId
  | ParseJobId
  | GenerationId
  | ChunkId;

/** Gives `text` the asked brand when it is a lower-case UUID, else `undefined`. */
export function parseId<Id extends UuidBrand>(text: string): Id | undefined {
  return UUID.test(text) ? (text as Id) : undefined;
}

/** Workflow id of a document's ingestion: one per document, so two runs can never be open at once. */
export function ingestWorkflowId(documentId: DocumentId): string {
  return `ingest/${documentId}`;
}

/** Workflow id of a document's erasure. */
export function eraseWorkflowId(documentId: DocumentId): string {
  return `erase/${documentId}`;
}
