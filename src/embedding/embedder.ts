/**
 * Port: the embedding model. An adapter throws `IntakeError` with the `EMBEDDER_*` codes, and
 * `EMBEDDINGS_INVALID` for a vector of wrong count, order or dimension, all zero, or not finite.
 */

export interface Embedder {
  readonly model: string;
  readonly dimensions: number;
  /** Most inputs a call; callers cut sub-batches to it. */
  readonly batchSize: number;
  /** One vector per input, in the inputs' order. No input may be empty. */
  embed(inputs: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]>;
}

/** The embedding model's own tokenizer. Both its name and the limit enter the generation's hash. */
export interface TokenCounter {
  readonly name: string;
  /** Tokens with the model's special tokens included. */
  count(text: string): number;
}
