/** The tokenizer by which chunks are measured can be loaded. */
import { createTokenCounter } from '../../../chunking/count-tokens.ts';
import { IntakeError } from '../../../domain/errors.ts';
import { type Check, Ill } from '../check.ts';

export const embedderTokenizer: Check = {
  name: 'embedder: tokenizer',
  mend: {
    absent:
      'Set EMBEDDINGS_TOKENIZER to cl100k_base, or to the path of the model’s tokenizer.json.',
  },
  run: async ({ config }) => {
    try {
      return (await createTokenCounter(config.EMBEDDINGS_TOKENIZER)).name;
    } catch (error) {
      if (!(error instanceof IntakeError)) throw error;
      throw new Ill('absent', error.detail ?? '');
    }
  },
};
