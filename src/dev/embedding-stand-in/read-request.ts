/** A request for embeddings, held to OpenAI's limits. */
import { z } from 'zod';
import { type EncodingFormat, Refusal } from './answer.ts';
import type { EmbeddingModel } from './embedding-model.ts';

const MAX_INPUTS = 2048;
const MAX_TOKENS_PER_INPUT = 8192;
const MAX_TOKENS_PER_REQUEST = 300_000;
/** Rough, and enough to catch a caller that does not pack by tokens. */
const CHARACTERS_PER_TOKEN = 4;

const requestBody = z.looseObject({
  model: z.string(),
  input: z.union([z.string().transform((text) => [text]), z.array(z.string()).nonempty()]),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.number().int().optional(),
});

export interface EmbeddingRequest {
  readonly model: EmbeddingModel;
  readonly inputs: readonly string[];
  readonly format: EncodingFormat;
}

export function readRequest(body: unknown, models: readonly EmbeddingModel[]): EmbeddingRequest {
  const parsed = requestBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join('.') ?? null;
    throw new Refusal(400, `'$.${param}' is invalid. Please check the API reference.`, { param });
  }
  const { input, encoding_format: format, dimensions } = parsed.data;
  const model = models.find(({ id }) => id === parsed.data.model);
  if (model === undefined) {
    throw new Refusal(404, 'The model does not exist or you do not have access to it.', {
      code: 'model_not_found',
    });
  }
  if (dimensions !== undefined) {
    throw new Refusal(400, 'This model does not support specifying dimensions.', {
      param: 'dimensions',
    });
  }
  checkSize(input);
  return { model, inputs: input, format };
}

function checkSize(inputs: readonly string[]): void {
  const refuse = (message: string, code: string | null = null) => {
    throw new Refusal(400, message, { param: 'input', code });
  };
  if (inputs.length > MAX_INPUTS) {
    refuse(`'$.input' is invalid: at most ${MAX_INPUTS} inputs are allowed.`);
  }
  if (inputs.includes('')) refuse("'$.input' is invalid: input cannot be an empty string.");
  const tokens = inputs.map((text) => text.length / CHARACTERS_PER_TOKEN);
  if (Math.max(...tokens) > MAX_TOKENS_PER_INPUT) {
    refuse("This model's maximum context length is 8192 tokens.", 'context_length_exceeded');
  }
  if (tokens.reduce((sum, own) => sum + own, 0) > MAX_TOKENS_PER_REQUEST) {
    refuse('Requested too many tokens: at most 300000 per request.', 'max_tokens_per_request');
  }
}
