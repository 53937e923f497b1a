/**
 * What LlamaParse says, as our codes: HTTP answers of calls, and the words of jobs that failed.
 * Details name statuses, fields and machine words only; free text of the vendor may quote the document or our callback URL.
 */
import { APIError, BadRequestError } from '@llamaindex/llama-cloud';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import { readRetryAfter } from '../provider-budget/retry-after.ts';

interface CallContext {
  /** A 404 for a job of ours means that it expired; for a new one, that the call is wrong. */
  readonly about: 'submission' | 'job';
  readonly now: Date;
}

/** Our own errors pass; everything else that a call throws becomes one of the LLAMAPARSE_* codes. */
export function classifyCallError(error: unknown, context: CallContext): IntakeError {
  if (error instanceof IntakeError) return error;
  const status = error instanceof APIError ? error.status : undefined;
  if (!(error instanceof APIError) || status === undefined) {
    return new IntakeError('LLAMAPARSE_SERVER_ERROR', { detail: faultOf(error), cause: error });
  }
  const code = codeOfStatus(status, context.about);
  const retryAfterMs =
    code === 'LLAMAPARSE_RATE_LIMIT_ERROR' ? readRetryAfter(error.headers, context.now) : undefined;
  return new IntakeError(code, {
    detail: describeAnswer(status, error.error),
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Documented for tier `fast`, of which a newer release gives Markdown all the same. */
export function refusesMarkdown(error: unknown): boolean {
  return (
    error instanceof IntakeError &&
    error.cause instanceof BadRequestError &&
    /not available for FAST tier/i.test(error.cause.message)
  );
}

function codeOfStatus(status: number, about: CallContext['about']): ErrorCode {
  if (status === 401 || status === 403) return 'LLAMAPARSE_FORBIDDEN';
  if (status === 402) return 'LLAMAPARSE_CREDITS_EXHAUSTED';
  if (status === 404 && about === 'job') return 'LLAMAPARSE_RESULT_EXPIRED';
  if (status === 429) return 'LLAMAPARSE_RATE_LIMIT_ERROR';
  if (status >= 500 || status === 408 || status === 409) return 'LLAMAPARSE_SERVER_ERROR';
  return 'LLAMAPARSE_CLIENT_ERROR';
}

/** Words that the vendor puts into `error_message`, and one of our parser stand-in's (`FILE_IS_BROKEN`). */
const jobWords = [
  'UNSUPPORTED_FILE_TYPE',
  'PDF_IS_PROTECTED',
  'PDF_IS_BROKEN',
  'FILE_IS_BROKEN',
  'NO_DATA_FOUND_IN_FILE',
  'DOCUMENT_TOO_LARGE',
  'TOO_MANY_PAGES',
  'TIMEOUT',
] as const satisfies readonly ErrorCode[];

export interface JobFailure {
  readonly code: ErrorCode;
  readonly detail: string;
}

export function classifyJobFailure(message: string | null | undefined): JobFailure {
  if (!message) return { code: 'LLAMAPARSE_API_ERROR', detail: 'the job failed without a word' };
  const known = jobWords.find((word) =>
    new RegExp(`(?<![A-Z0-9])${word}(?![A-Z0-9])`).test(message),
  );
  if (known !== undefined) return { code: known, detail: `the job failed with ${known}` };
  const machineWord = /^[A-Z]{2,20}(?:_[A-Z]{2,20}){1,5}(?![\w])/.exec(message)?.[0];
  return {
    code: 'LLAMAPARSE_API_ERROR',
    detail: `the job failed with ${machineWord ?? `${message.length} characters that we do not know`}`,
  };
}

function describeAnswer(status: number, body: unknown): string {
  const parts = [`status ${status}`, ...fieldsOf(body)];
  const correlationId = property(body, 'correlation_id');
  if (typeof correlationId === 'string' && /^[\w-]{1,64}$/.test(correlationId)) {
    parts.push(`correlation id ${correlationId}`);
  }
  return parts.join(', ');
}

/** Names of refused request fields out of a 422's `detail[].loc`; never `msg` or `input`. */
function fieldsOf(body: unknown): readonly string[] {
  const detail = property(body, 'detail');
  if (!Array.isArray(detail)) return [];
  return detail
    .map((entry: unknown) => property(entry, 'loc'))
    .filter((loc) => Array.isArray(loc))
    .map((loc) => loc.join('.'))
    .filter((field) => /^[\w.]{1,100}$/.test(field))
    .slice(0, 5);
}

/** The system's code of a broken connection, or the kind of nonsense that was answered. */
function faultOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = property(cause, 'code');
    if (typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code)) return code;
    if (cause instanceof SyntaxError) return 'the answer is not JSON';
    if (cause.name === 'ZodError') return 'the answer is not of the documented shape';
  }
  return 'no answer in time, or the connection broke';
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
