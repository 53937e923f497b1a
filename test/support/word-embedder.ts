/** An embedder that needs nothing: equal words give near vectors, and the same text always the same one. */
import { createHash } from 'node:crypto';
import type { Embedder } from '../../src/embedding/embedder.ts';

/** `names` a model of its own, since vectors of two models are never compared. */
export function wordEmbedder(dimensions: number, model = `words-${dimensions}`): Embedder {
  return {
    model,
    dimensions,
    batchSize: 100,
    embed: async (inputs) => inputs.map((input) => embedWords(input, dimensions)),
  };
}

/** Each word lights three places; the length is 1. */
export function embedWords(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0.001);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const digest = createHash('sha256').update(word).digest();
    for (const offset of [0, 4, 8]) {
      const place = digest.readUInt32BE(offset) % dimensions;
      vector[place] = (vector[place] ?? 0) + 1;
    }
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
