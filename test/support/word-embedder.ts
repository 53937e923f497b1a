/** The embedding stand-in's lexical model without its HTTP: equal words give near vectors, and the same text always the same one. */
import { createLexicalModel } from '../../src/dev/embedding-stand-in/lexical-model.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';

/** `model` is a name of its own, since vectors of two models are never compared. */
export function wordEmbedder(dimensions: number, model = `words-${dimensions}`): Embedder {
  const lexical = createLexicalModel(model, dimensions);
  return {
    model,
    dimensions,
    batchSize: 100,
    embed: async (inputs, signal) => {
      const embedded = await lexical.embed(inputs, signal);
      return embedded.map(({ vector }) => [...vector]);
    },
  };
}
