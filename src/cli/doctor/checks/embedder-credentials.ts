/** The embedder takes our key and offers our model, by its list of models, which costs nothing. */
import { listModels } from '../../../embedding/list-models.ts';
import { type Check, Ill } from '../check.ts';

const TIMEOUT_MS = 10_000;

export const embedderCredentials: Check = {
  name: 'embedder: credentials',
  mend: {
    forbidden: 'Check EMBEDDINGS_API_KEY, and that it belongs to the endpoint at EMBEDDINGS_URL.',
    unavailable: 'Check EMBEDDINGS_URL, and whether the endpoint is up and reached from here.',
    refused:
      'Check EMBEDDINGS_URL: with its version, as in https://api.openai.com/v1. An endpoint without a list of models can only be tried by a document.',
    absent: 'Check EMBEDDINGS_MODEL: the endpoint does not offer it to this key.',
  },
  run: async ({ config }) => {
    const models = await listModels({
      baseUrl: config.EMBEDDINGS_URL,
      apiKey: config.EMBEDDINGS_API_KEY,
      timeoutMs: TIMEOUT_MS,
    });
    const { EMBEDDINGS_MODEL: model } = config;
    if (!models.includes(model))
      throw new Ill('absent', `${model} is none of ${models.length} models`);
    return `${model} is offered by ${new URL(config.EMBEDDINGS_URL).host}`;
  },
};
