import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { classifyEmbeddingError } from '../../../src/embedding/classify-embedding-error.ts';

const answered = (status: number, error: object = {}, headers: Record<string, string> = {}) =>
  classifyEmbeddingError(APIError.generate(status, { error }, undefined, new Headers(headers)));

describe('classifyEmbeddingError', () => {
  it.each([
    [400, 'EMBEDDER_REJECTED'],
    [401, 'EMBEDDER_FORBIDDEN'],
    [402, 'EMBEDDER_FORBIDDEN'],
    [403, 'EMBEDDER_FORBIDDEN'],
    [404, 'EMBEDDER_REJECTED'],
    [408, 'EMBEDDER_UNAVAILABLE'],
    [409, 'EMBEDDER_UNAVAILABLE'],
    [413, 'EMBEDDER_REJECTED'],
    [422, 'EMBEDDER_REJECTED'],
    [429, 'EMBEDDER_RATE_LIMITED'],
    [500, 'EMBEDDER_UNAVAILABLE'],
    [503, 'EMBEDDER_UNAVAILABLE'],
  ])('status %i is %s', (status, code) => {
    expect(answered(status)).toMatchObject({ code, detail: `status ${status}` });
  });

  it('takes a quota that is used up for a matter of money', () => {
    expect(answered(429, { code: 'insufficient_quota' }).code).toBe('EMBEDDER_FORBIDDEN');
  });

  it('reads when to come back', () => {
    expect(answered(429, {}, { 'retry-after': '7' }).retryAfterMs).toBe(7000);
    expect(answered(429, {}, { 'retry-after': '0' }).retryAfterMs).toBe(0);
    expect(answered(429, {}, { 'retry-after-ms': '250', 'retry-after': '7' }).retryAfterMs).toBe(
      250,
    );
    expect(answered(503, {}, { 'retry-after': '7' }).retryAfterMs).toBe(7000);
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    const wait = answered(429, {}, { 'retry-after': inAnHour }).retryAfterMs;
    expect(wait).toBeGreaterThan(3_500_000);
    expect(wait).toBeLessThanOrEqual(3_600_000);
  });

  it('ignores a time to come back that makes no sense', () => {
    for (const value of ['soon', '-5', new Date(0).toUTCString()]) {
      expect(answered(503, {}, { 'retry-after': value }).retryAfterMs).toBeUndefined();
    }
    expect(answered(429, {}, { 'retry-after': '99999999' }).retryAfterMs).toBe(3_600_000);
  });

  it('keeps words of the vendor and never its sentences, which may quote the text', () => {
    const error = answered(400, {
      message: 'Invalid input: my diagnosis',
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
    });
    expect(error.detail).toBe('status 400 invalid_request_error context_length_exceeded');
    expect(answered(400, { code: 'My Diagnosis' }).detail).toBe('status 400');
  });

  it.each([
    new APIConnectionError({ cause: new Error('ECONNRESET') }),
    new APIConnectionTimeoutError(),
    new SyntaxError('Unexpected token < in JSON'),
    'no error at all',
  ])('takes everything else for an endpoint that is down: %s', (thrown) => {
    expect(classifyEmbeddingError(thrown)).toMatchObject({ code: 'EMBEDDER_UNAVAILABLE' });
  });
});
