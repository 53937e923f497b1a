/** The models that an endpoint offers: a call that costs nothing and needs the key. */
import { OpenAI } from 'openai';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { classifyEmbeddingError } from './classify-embedding-error.ts';

export interface ModelListOptions {
  /** With its version, as in `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
}

const list = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Throws the `EMBEDDER_*` codes; `EMBEDDER_REJECTED` from an endpoint that has no such list. */
export async function listModels(options: ModelListOptions): Promise<readonly string[]> {
  const { baseUrl: baseURL, apiKey, timeoutMs: timeout } = options;
  const client = new OpenAI({
    baseURL,
    apiKey,
    timeout,
    maxRetries: 0,
    organization: null,
    project: null,
    logLevel: 'off',
    fetchOptions: { redirect: 'error' },
  });
  try {
    const answer: unknown = await client.get('/models', { signal: AbortSignal.timeout(timeout) });
    const { data } = list.parse(answer);
    return data.map(({ id }) => id);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw classifyEmbeddingError(error);
    throw new IntakeError('EMBEDDER_REJECTED', { detail: 'no list of models', cause: error });
  }
}
