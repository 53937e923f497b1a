/** Adapter: any endpoint that speaks OpenAI's embeddings, by the official SDK. Retrying is the caller's. */
import { OpenAI } from 'openai';
import type { WithinBudget } from '../provider-budget/provider-budget.ts';
import { classifyEmbeddingError } from './classify-embedding-error.ts';
import type { Embedder } from './embedder.ts';
import { readTokens, readVectors } from './read-vectors.ts';

export interface OpenAiEmbedderOptions {
  /** With its version, as in `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly dimensions: number;
  readonly batchSize: number;
  /** For a whole call, its body included. */
  readonly timeoutMs?: number;
  readonly withinBudget: WithinBudget;
  /** Told what each call was charged, where the endpoint says it. */
  readonly onTokens?: (tokens: number) => void;
}

/** Other models, and most other servers, refuse the parameter. */
const TAKES_DIMENSIONS = /^text-embedding-3-/;

export function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const {
    baseUrl,
    apiKey,
    model,
    dimensions,
    batchSize,
    withinBudget,
    onTokens,
    timeoutMs = 60_000,
  } = options;
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    // What the SDK would take from the environment: an organization, and a debug log that holds document text.
    organization: null,
    project: null,
    logLevel: 'off',
    // A redirect would carry document text and our key elsewhere.
    fetchOptions: { redirect: 'error' },
  });
  const width = TAKES_DIMENSIONS.test(model) ? { dimensions } : {};
  return {
    model,
    dimensions,
    batchSize,
    async embed(inputs, signal) {
      if (inputs.length === 0) return [];
      const body = { model, input: [...inputs], encoding_format: 'float' as const, ...width };
      const answer: unknown = await withinBudget(async () => {
        // The SDK's own timeout ends with the headers; a body may stall for ever.
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        return await client.embeddings.create(body, { signal: limit }).catch((error: unknown) => {
          signal.throwIfAborted();
          throw classifyEmbeddingError(error);
        });
      }, signal);
      onTokens?.(readTokens(answer));
      return readVectors(answer, { count: inputs.length, dimensions });
    },
  };
}
