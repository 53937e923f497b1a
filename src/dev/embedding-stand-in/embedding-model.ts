/** What the stand-in serves under a model's name. */
export interface EmbeddedText {
  readonly vector: Float32Array;
  readonly tokens: number;
}

export interface EmbeddingModel {
  readonly id: string;
  readonly dimensions: number;
  /** Unit vectors in the texts' order. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly EmbeddedText[]>;
  close(): Promise<void>;
}
