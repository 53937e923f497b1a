import { expect, test } from 'vitest';
import {
  exitCodeMeanings,
  exitCodeOf,
  exitCodeOfDocument,
  exitCodes,
} from '../../../src/cli/exit-codes.ts';
import { type ErrorCode, errorCodes } from '../../../src/domain/errors.ts';
import { statuses } from '../../../src/domain/ingestion.ts';

test.each([
  ['INVALID_REQUEST', 2],
  ['CONFIGURATION_INVALID', 2],
  ['NOT_POSSIBLE_NOW', 3],
  ['UPLOAD_QUOTA_EXCEEDED', 3],
  ['PDF_IS_PROTECTED', 3],
  ['UPLOAD_EXPIRED', 3],
  ['PARSE_TIMEOUT', 4],
  ['SCHEMA_OUTDATED', 4],
  ['NOT_FOUND', 5],
  ['UNAUTHENTICATED', 5],
  ['SERVICE_UNAVAILABLE', 6],
  ['NOT_RUNNING', 6],
  ['RATE_LIMITED', 6],
  ['DATABASE_UNAVAILABLE', 6],
  ['INTERNAL_ERROR', 1],
] as const)('%s ends with %i', (code, expected) => {
  expect(exitCodeOf(code)).toBe(expected);
});

test('no failure ends with 0 or as an interruption, and what a user can mend never blames us', () => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const wrong: number[] = [exitCodes.done, exitCodes.interrupted];
    if (errorCodes[code].turn === 'user') wrong.push(exitCodes.failed);
    expect(wrong).not.toContain(exitCodeOf(code));
  }
});

test('every exit code is explained', () => {
  expect(Object.keys(exitCodeMeanings)).toEqual(Object.values(exitCodes).map(String));
});

test('a document ends with 0 while it runs and when it is complete, and only then', () => {
  const zeros = statuses.filter((status) => exitCodeOfDocument({ status }) === 0);
  expect(zeros).toEqual([
    ...['awaiting_upload', 'uploaded', 'parse_queued', 'parsed', 'parse_validated', 'chunking'],
    ...['chunks_stored', 'embedding_queued', 'embedding_in_progress', 'embeddings_stored'],
    'complete',
  ]);
});

test.each([
  ['user', 3],
  ['us', 4],
  ['provider', 4],
] as const)('a failed document whose turn is %s ends with %i', (turn, expected) => {
  const error = { code: 'X', message: '', turn };
  expect(exitCodeOfDocument({ status: 'failed_parse', error })).toBe(expected);
});
