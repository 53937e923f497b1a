/** The one place where the SDK's and the endpoint's failures become our codes. */
import { APIConnectionError, APIError } from 'openai';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import { readRetryAfter } from '../provider-budget/retry-after.ts';

/** Only words like `insufficient_quota`: a message may quote the input or the key. */
const HARMLESS_WORD = /^[a-z0-9_.-]{1,60}$/;

export function classifyEmbeddingError(error: unknown): IntakeError {
  if (!(error instanceof APIError) || error instanceof APIConnectionError) {
    // No connection, no answer in time, or a body that is not JSON.
    const detail = error instanceof Error ? error.constructor.name : typeof error;
    return new IntakeError('EMBEDDER_UNAVAILABLE', { detail, cause: error });
  }
  const retryAfterMs = readRetryAfter(error.headers, new Date());
  return new IntakeError(codeOf(error.status, error.code), {
    detail: ['status', error.status, word(error.type), word(error.code)].filter(Boolean).join(' '),
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function codeOf(status: number | undefined, reason: unknown): ErrorCode {
  switch (status) {
    case 400:
    case 404:
    case 413:
    case 422:
      return 'EMBEDDER_REJECTED';
    case 401:
    case 402:
    case 403:
      return 'EMBEDDER_FORBIDDEN';
    case 429:
      // A quota that is used up does not come back by waiting: somebody has to pay.
      return reason === 'insufficient_quota' ? 'EMBEDDER_FORBIDDEN' : 'EMBEDDER_RATE_LIMITED';
    default:
      return 'EMBEDDER_UNAVAILABLE';
  }
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && HARMLESS_WORD.test(value) ? value : undefined;
}
