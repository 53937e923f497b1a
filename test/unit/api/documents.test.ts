import { expect, test } from 'vitest';
import type { DocumentFilter } from '../../../src/api/dependencies.ts';
import { errorCodes, IntakeError } from '../../../src/domain/errors.ts';
import { statuses } from '../../../src/domain/ingestion.ts';
import { apiUnderTest, documentOf, newDocumentId } from '../../support/api-under-test.ts';

const documentId = newDocumentId();

test('a page of documents and where the next begins', async () => {
  const filters: DocumentFilter[] = [];
  const { request } = await apiUnderTest({
    documents: {
      listDocuments: async (_caller, filter) => {
        filters.push(filter);
        return { documents: [documentOf(documentId)], next: documentId };
      },
    },
  });
  const first = await request({ url: '/v1/documents' });
  expect(first.json()).toEqual({
    documents: [
      {
        documentId,
        name: 'plan.pdf',
        type: 'application/pdf',
        sizeBytes: 1782,
        status: 'parse_queued',
        stage: 'collect',
        progressPercent: 20,
        searchable: false,
        createdAt: '2026-11-20T10:00:00.000Z',
        updatedAt: '2026-11-20T10:00:00.000Z',
        links: {
          self: `/v1/documents/${documentId}`,
          original: `/v1/documents/${documentId}/original`,
          markdown: `/v1/documents/${documentId}/markdown`,
        },
      },
    ],
    nextCursor: documentId,
  });
  const { nextCursor } = first.json();
  await request({ url: `/v1/documents?status=complete&limit=7&cursor=${nextCursor}` });
  expect(filters).toEqual([
    { status: undefined, limit: 20, after: undefined },
    { status: 'complete', limit: 7, after: documentId },
  ]);
});

async function detailOf(facts: Parameters<typeof documentOf>[1]) {
  const { request } = await apiUnderTest({
    documents: { documentDetail: async (_caller, id) => documentOf(id, facts) },
  });
  const response = await request({ url: `/v1/documents/${documentId}` });
  expect(response.statusCode).toBe(200);
  return response.json();
}

test('a failed document says what, whose turn, and in which stage', async () => {
  const at = new Date('2026-11-20T11:00:00Z');
  const detail = await detailOf({
    status: 'failed_parse',
    failedStage: 'collect',
    errorCode: 'PDF_IS_PROTECTED',
    endedAt: at,
    attempts: [
      {
        number: 1,
        status: 'failed_parse',
        startedAt: at,
        endedAt: at,
        errorCode: 'PDF_IS_PROTECTED',
      },
    ],
    timeline: [
      { at, attempt: 1, kind: 'status', status: 'uploaded', code: undefined, command: undefined },
      {
        at,
        attempt: 1,
        kind: 'wait',
        status: undefined,
        code: 'LLAMAPARSE_SERVER_ERROR',
        command: undefined,
      },
    ],
  });
  const error = {
    code: 'PDF_IS_PROTECTED',
    message: errorCodes.PDF_IS_PROTECTED.message,
    turn: 'user',
  };
  expect(detail).toMatchObject({ status: 'failed_parse', stage: 'collect', error });
  expect(detail.attempts).toEqual([
    {
      number: 1,
      status: 'failed_parse',
      startedAt: at.toISOString(),
      endedAt: at.toISOString(),
      error,
    },
  ]);
  expect(detail.timeline).toEqual([
    { at: at.toISOString(), attempt: 1, kind: 'status', status: 'uploaded' },
    {
      at: at.toISOString(),
      attempt: 1,
      kind: 'wait',
      code: 'LLAMAPARSE_SERVER_ERROR',
      message: errorCodes.LLAMAPARSE_SERVER_ERROR.message,
      turn: 'provider',
    },
  ]);
  expect(detail).not.toHaveProperty('progressPercent');
});

test('a waiting document says for what, since when and until when', async () => {
  const since = new Date('2026-11-20T11:00:00Z');
  const nextTryAt = new Date('2026-11-20T11:05:00Z');
  const { waiting } = await detailOf({
    waiting: { code: 'STORAGE_UNAVAILABLE', since, nextTryAt, deadlineAt: undefined },
  });
  expect(waiting).toEqual({
    code: 'STORAGE_UNAVAILABLE',
    message: errorCodes.STORAGE_UNAVAILABLE.message,
    turn: 'us',
    since: since.toISOString(),
    nextTryAt: nextTryAt.toISOString(),
  });
});

test('what the service knows and the contract does not name stays inside', async () => {
  const more = { originalKey: 'originals/secret', errorDetail: 'row 7', runId: 'run-1' };
  const { request } = await apiUnderTest({
    documents: {
      documentDetail: async (_caller, id) => ({ ...documentOf(id), ...more }),
      listDocuments: async () => ({
        documents: [{ ...documentOf(documentId), ...more }],
        next: undefined,
      }),
    },
  });
  for (const url of ['/v1/documents', `/v1/documents/${documentId}`]) {
    const { body, statusCode } = await request({ url });
    expect(statusCode).toBe(200);
    expect(body).not.toMatch(/originalKey|secret|errorDetail|runId/);
  }
});

test.each(statuses)('%s is shown', async (status) => {
  const detail = await detailOf({ status });
  expect(detail.status).toBe(status);
});

test.each([
  ['POST', 'retry', 'retryDocument', 'uploaded'],
  ['POST', 'cancel', 'cancelDocument', 'cancelled'],
  ['DELETE', '', 'deleteDocument', 'deleted'],
] as const)('%s %s is taken', async (method, command, operation, status) => {
  const asked: string[] = [];
  const { request } = await apiUnderTest({
    documents: {
      [operation]: async (_caller: unknown, id: string) => {
        asked.push(id);
        return { documentId: id, status };
      },
    },
  });
  const url = ['/v1/documents', documentId, command].filter(Boolean).join('/');
  const response = await request({ method, url });
  expect(response.statusCode).toBe(202);
  expect(response.json()).toEqual({
    documentId,
    status,
    statusUrl: `/v1/documents/${documentId}`,
  });
  expect(asked).toEqual([documentId]);
});

test('a command that is not possible now is a conflict', async () => {
  const { request } = await apiUnderTest({
    documents: {
      cancelDocument: async () => {
        throw new IntakeError('NOT_POSSIBLE_NOW');
      },
    },
  });
  const response = await request({ method: 'POST', url: `/v1/documents/${documentId}/cancel` });
  expect(response.json()).toMatchObject({ status: 409, code: 'NOT_POSSIBLE_NOW' });
});

test('limits are those of the server and of the owner', async () => {
  const { request } = await apiUnderTest();
  expect((await request({ url: '/v1/limits' })).json()).toEqual({
    types: expect.arrayContaining(['application/pdf', 'text/markdown']),
    maxFileBytes: 1_000_000,
    maxRequestsPerMinute: 1000,
    maxPages: 2000,
    maxUnfinishedUploads: 20,
    unfinishedUploads: 0,
    maxReservedBytes: 500_000_000,
    reservedBytes: 0,
  });
});

test('a code of a newer version, in a row, has words too', async () => {
  const { error } = await detailOf({
    status: 'failed_parse',
    errorCode: 'OF_A_NEWER_VERSION' as 'INTERNAL_ERROR',
  });
  const { message, turn } = errorCodes.INTERNAL_ERROR;
  expect(error).toEqual({ code: 'OF_A_NEWER_VERSION', message, turn });
});
