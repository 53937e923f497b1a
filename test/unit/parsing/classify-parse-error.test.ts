import { APIConnectionTimeoutError, APIError, APIUserAbortError } from '@llamaindex/llama-cloud';
import { describe, expect, it } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import {
  classifyCallError,
  classifyJobFailure,
  refusesMarkdown,
} from '../../../src/parsing/classify-parse-error.ts';

const now = new Date('2026-11-24T12:00:00Z');
const answer = (status: number, body: object = {}, headers: Record<string, string> = {}) =>
  APIError.generate(status, body, undefined, new Headers(headers));
const classify = (error: unknown, about: 'submission' | 'job' = 'submission') =>
  classifyCallError(error, { about, now });

describe('calls', () => {
  it.each([
    [400, 'LLAMAPARSE_CLIENT_ERROR'],
    [401, 'LLAMAPARSE_FORBIDDEN'],
    [402, 'LLAMAPARSE_CREDITS_EXHAUSTED'],
    [403, 'LLAMAPARSE_FORBIDDEN'],
    [404, 'LLAMAPARSE_CLIENT_ERROR'],
    [408, 'LLAMAPARSE_SERVER_ERROR'],
    [409, 'LLAMAPARSE_SERVER_ERROR'],
    [413, 'LLAMAPARSE_CLIENT_ERROR'],
    [422, 'LLAMAPARSE_CLIENT_ERROR'],
    [429, 'LLAMAPARSE_RATE_LIMIT_ERROR'],
    [500, 'LLAMAPARSE_SERVER_ERROR'],
    [529, 'LLAMAPARSE_SERVER_ERROR'],
  ])('%d: %s', (status, code) => {
    expect(classify(answer(status))).toMatchObject({ code, detail: `status ${status}` });
  });

  it('a job that is not there has expired', () => {
    expect(classify(answer(404), 'job').code).toBe('LLAMAPARSE_RESULT_EXPIRED');
  });

  it.each([
    ['a timeout', new APIConnectionTimeoutError()],
    ['our own deadline', new APIUserAbortError()],
    ['JSON cut off', new SyntaxError('Unexpected end')],
    ['a reset', new TypeError('terminated', { cause: { code: 'ECONNRESET' } })],
  ])('%s passes by itself', (_name, error) => {
    expect(classify(error)).toMatchObject({ code: 'LLAMAPARSE_SERVER_ERROR', cause: error });
  });

  it('our own errors pass', () => {
    const ours = new IntakeError('DOCUMENT_TOO_LARGE');
    expect(classify(ours)).toBe(ours);
  });

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Tue, 24 Nov 2026 12:00:30 GMT', 30_000],
  ])('Retry-After %s', (header, ms) => {
    const error = classify(answer(429, {}, { 'retry-after': header }));
    expect(error.retryAfterMs).toBe(ms);
  });

  it.each([
    {},
    { 'retry-after': 'Tue, 24 Nov 2026 11:00:00 GMT' },
    { 'retry-after': 'soon' },
    { 'retry-after': '-1' },
  ])(
    'a 429 that says nothing of when to come back, as %j, leaves that to the budget',
    (headers) => {
      expect(classify(answer(429, {}, headers)).retryAfterMs).toBeUndefined();
    },
  );

  it('the detail names fields and ids and quotes nothing', () => {
    const body = {
      detail: [
        { loc: ['body', 'version'], msg: 'bad: Dear Ms Example', input: 'https://x.example/token' },
        { loc: ['body', 'Dear Ms Example'] },
      ],
      correlation_id: 'c0ffee-1',
    };
    expect(classify(answer(422, body)).detail).toBe(
      'status 422, body.version, correlation id c0ffee-1',
    );
    expect(classify(answer(500, { detail: 'Dear Ms Example' })).detail).toBe('status 500');
  });

  it('knows the refusal of Markdown', () => {
    const refusal = classify(
      answer(400, { detail: 'markdown not available for FAST tier' }),
      'job',
    );
    expect(refusesMarkdown(refusal)).toBe(true);
    expect(refusesMarkdown(classify(answer(400, { detail: 'bad option' })))).toBe(false);
    expect(refusesMarkdown(new Error('not available for FAST tier'))).toBe(false);
  });
});

describe('jobs', () => {
  it.each([
    ['PDF_IS_PROTECTED', 'PDF_IS_PROTECTED'],
    ['Parsing failed: PDF_IS_BROKEN (page tree)', 'PDF_IS_BROKEN'],
    ['FILE_IS_BROKEN', 'FILE_IS_BROKEN'],
    ['UNSUPPORTED_FILE_TYPE: .xyz', 'UNSUPPORTED_FILE_TYPE'],
    ['NO_DATA_FOUND_IN_FILE', 'NO_DATA_FOUND_IN_FILE'],
    ['DOCUMENT_TOO_LARGE', 'DOCUMENT_TOO_LARGE'],
    ['TOO_MANY_PAGES', 'TOO_MANY_PAGES'],
    ['JOB_TIMEOUT after 1800s', 'TIMEOUT'],
    ['TIMEOUTS were set', 'LLAMAPARSE_API_ERROR'],
    ['timeout', 'LLAMAPARSE_API_ERROR'],
    ['', 'LLAMAPARSE_API_ERROR'],
    [null, 'LLAMAPARSE_API_ERROR'],
    [undefined, 'LLAMAPARSE_API_ERROR'],
  ])('%j: %s', (message, code) => {
    expect(classifyJobFailure(message).code).toBe(code);
  });

  it('keeps a machine’s word that it does not know, and no other text', () => {
    expect(classifyJobFailure('OCR_ENGINE_FAILED: page 3').detail).toContain('OCR_ENGINE_FAILED');
    const detail = classifyJobFailure('Cannot read "Dear Ms Example"').detail;
    expect(detail).toMatch(/29 characters/);
    expect(detail).not.toContain('Example');
  });
});
