/** Sub-batches for an embedding endpoint. Pure, and the same for the same input. */

/** What OpenAI takes in one request. */
const MAX_TOKENS_PER_REQUEST = 300_000;

export interface BatchLimits {
  readonly maxInputs: number;
  readonly maxTokens?: number;
}

/**
 * Groups of like length, since a model pads a batch to its longest input: sorting makes small models nearly twice
 * as fast. An item over `maxTokens` gets a batch of its own.
 */
export function batchByTokens<Item extends { readonly tokenCount: number }>(
  items: readonly Item[],
  { maxInputs, maxTokens = MAX_TOKENS_PER_REQUEST }: BatchLimits,
): readonly (readonly Item[])[] {
  const batches: Item[][] = [];
  let tokens = 0;
  for (const item of items.toSorted((a, b) => a.tokenCount - b.tokenCount)) {
    const batch = batches.at(-1);
    if (batch !== undefined && batch.length < maxInputs && tokens + item.tokenCount <= maxTokens) {
      batch.push(item);
      tokens += item.tokenCount;
    } else {
      batches.push([item]);
      tokens = item.tokenCount;
    }
  }
  return batches;
}
