/** What a failed request is answered: RFC 9457 problem details with our closed codes. */

import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { databaseError } from '../db/pool.ts';
import { type ErrorCode, errorCodes, IntakeError } from '../domain/errors.ts';

/** Total, so that a new code cannot be forgotten. Most codes are ends of documents and meet a request only rarely. */
export const httpStatus = {
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  NOT_POSSIBLE_NOW: 409,
  OPERATORS_ONLY: 403,
  RATE_LIMITED: 429,
  UPLOAD_QUOTA_EXCEEDED: 429,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_ERROR: 500,
  UPLOAD_EXPIRED: 410,
  STORAGE_ACCESS_ERROR: 410,
  STORAGE_OBJECT_ABSENT: 404,
  STORAGE_FORBIDDEN: 503,
  STORAGE_UNAVAILABLE: 503,
  FILE_ACCESS_CIRCUIT_BREAKER_OPEN: 503,
  STORAGE_OUT_OF_PATIENCE: 503,
  EMPTY_FILE: 422,
  TYPE_MISMATCH: 422,
  SIZE_MISMATCH: 422,
  CHECKSUM_MISMATCH: 422,
  DECLARATION_MISMATCH: 422,
  UNSUPPORTED_FILE_TYPE: 415,
  DOCUMENT_TOO_LARGE: 413,
  PDF_IS_PROTECTED: 422,
  PDF_IS_BROKEN: 422,
  FILE_IS_BROKEN: 422,
  NO_DATA_FOUND_IN_FILE: 422,
  TOO_MANY_PAGES: 422,
  TIMEOUT: 504,
  PARSE_TIMEOUT: 504,
  PARSE_CANCELLED: 502,
  PARSE_INCOMPLETE: 502,
  LLAMAPARSE_RATE_LIMIT_ERROR: 503,
  LLAMAPARSE_SERVER_ERROR: 503,
  LLAMAPARSE_CLIENT_ERROR: 502,
  LLAMAPARSE_FORBIDDEN: 503,
  LLAMAPARSE_CREDITS_EXHAUSTED: 503,
  LLAMAPARSE_RESULT_EXPIRED: 502,
  LLAMAPARSE_API_ERROR: 502,
  DOCUMENT_CHUNKING_FAILED: 500,
  EMBEDDER_RATE_LIMITED: 503,
  EMBEDDER_UNAVAILABLE: 503,
  EMBEDDER_FORBIDDEN: 503,
  EMBEDDER_REJECTED: 502,
  EMBEDDINGS_INVALID: 502,
  EMBEDDINGS_UNPROVEN: 500,
  EMBEDDING_OUT_OF_PATIENCE: 504,
  PARSER_OUT_OF_PATIENCE: 504,
  CANCELLED: 409,
  FAILED_BY_OPERATOR: 500,
  DOCUMENT_DELETED: 404,
  ATTEMPT_SUPERSEDED: 409,
  ATTEMPT_ABSENT: 503,
  DATABASE_UNAVAILABLE: 503,
  WORKER_STOPPING: 503,
  PAYLOAD_UNREADABLE: 503,
  WORKER_LOST: 503,
  FAILED_BEFORE_UPGRADE: 500,
  CONFIGURATION_INVALID: 500,
  SCHEMA_OUTDATED: 503,
  MIGRATION_FAILED: 503,
  UPGRADE_REFUSED: 503,
  NOT_RUNNING: 421,
} as const satisfies Record<ErrorCode, number>;

const fieldFault = z.object({
  field: z.string().describe('Where it stands, as in `body.name`'),
  message: z.string(),
});

export const problem = z
  .object({
    type: z.string().describe('`/problems/<code>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('A sentence for the person'),
    code: z.string(),
    turn: z.enum(['user', 'us', 'provider']).describe('Whose turn it is'),
    retryable: z.boolean().describe('The same request may succeed later'),
    correlationId: z.guid().describe('Names this request in our logs'),
    errors: z.array(fieldFault).optional(),
    reason: z.string().optional().describe('For operators: what stands in the way'),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problem>;

interface Translation {
  readonly code: ErrorCode;
  readonly status: number;
  readonly errors?: Problem['errors'];
}

/**
 * Codes that speak of a document which waits, where a caller waits instead: a search whose embedder is down, a list
 * without a database, a download without storage.
 */
const awaitedByTheCaller: ReadonlySet<ErrorCode> = new Set([
  'DATABASE_UNAVAILABLE',
  'EMBEDDER_FORBIDDEN',
  'EMBEDDER_RATE_LIMITED',
  'EMBEDDER_REJECTED',
  'EMBEDDER_UNAVAILABLE',
  'EMBEDDINGS_INVALID',
  'STORAGE_FORBIDDEN',
  'STORAGE_OBJECT_ABSENT',
  'STORAGE_UNAVAILABLE',
]);

/** The one translation from whatever was thrown. Messages of foreign errors never leave: they may quote input. */
export function translate(thrownError: unknown): Translation {
  const error = databaseError(thrownError);
  if (error instanceof IntakeError) {
    const code = awaitedByTheCaller.has(error.code) ? 'SERVICE_UNAVAILABLE' : error.code;
    return { code, status: httpStatus[code] };
  }
  const thrown = foreignError.safeParse(error).data;
  if (thrown?.validation !== undefined) {
    // An id of the wrong form is an id that nothing has.
    if (thrown.validationContext === 'params') return { code: 'NOT_FOUND', status: 404 };
    const place = thrown.validationContext ?? 'body';
    const errors = thrown.validation.map(({ instancePath, message }) => ({
      field: [place, ...instancePath.split('/').filter(Boolean)].join('.'),
      message,
    }));
    return { code: 'INVALID_REQUEST', status: 400, errors };
  }
  // HTTP's own refusals (syntax, length, media type) keep their status.
  const status = thrown?.statusCode ?? 500;
  if (status >= 400 && status < 500) return { code: 'INVALID_REQUEST', status };
  const code = status === 503 ? 'SERVICE_UNAVAILABLE' : 'INTERNAL_ERROR';
  return { code, status: httpStatus[code] };
}

/** What Fastify and its plugins throw. */
const foreignError = z.object({
  statusCode: z.number().optional(),
  validation: z.array(z.object({ instancePath: z.string(), message: z.string() })).optional(),
  validationContext: z.string().optional(),
});

export function describeProblem(
  translation: Translation,
  correlationId: string,
  reason?: string,
): Problem {
  const { code, status, errors } = translation;
  return {
    type: `/problems/${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: errorCodes[code].message,
    code,
    turn: errorCodes[code].turn,
    retryable: errorCodes[code].retryable,
    correlationId,
    errors,
    reason,
  };
}
