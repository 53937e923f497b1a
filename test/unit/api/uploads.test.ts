import { expect, test } from 'vitest';
import type { AcceptedUpload } from '../../../src/api/dependencies.ts';
import type { Declaration } from '../../../src/db/documents.ts';
import { apiUnderTest, newDocumentId } from '../../support/api-under-test.ts';

const documentId = newDocumentId();
const at = new Date('2026-11-24T12:00:00Z');
const declaration = {
  name: 'plan.pdf',
  type: 'application/pdf',
  sizeBytes: 1782,
  sha256: 'ab'.repeat(32),
};

async function acceptor(answer: Partial<AcceptedUpload> = {}) {
  const declared: Declaration[] = [];
  const { request } = await apiUnderTest({
    documents: {
      acceptUpload: async (_caller, upload) => {
        declared.push(upload);
        return {
          documentId,
          status: 'awaiting_upload',
          created: true,
          upload: { url: 'https://storage.test/sign?token=t', urlExpiresAt: at, expiresAt: at },
          ...answer,
        };
      },
    },
  });
  const announce = (changes: object = {}) =>
    request({ method: 'POST', url: '/v1/uploads', payload: { ...declaration, ...changes } });
  return { announce, declared };
}

test('an announced file is answered with where to put it and what comes next', async () => {
  const { announce, declared } = await acceptor();
  const response = await announce();
  expect(response.statusCode).toBe(201);
  expect(response.json()).toEqual({
    documentId,
    status: 'awaiting_upload',
    statusUrl: `/v1/documents/${documentId}`,
    uploadUrl: 'https://storage.test/sign?token=t',
    uploadUrlExpiresAt: at.toISOString(),
    uploadExpiresAt: at.toISOString(),
    confirmUrl: `/v1/uploads/${documentId}/confirm`,
  });
  const { type: mediaType, ...claims } = declaration;
  expect(declared).toEqual([{ ...claims, mediaType }]);
});

test('a file whose bytes are here is answered without a URL', async () => {
  const { announce } = await acceptor({ created: false, status: 'complete', upload: undefined });
  const response = await announce();
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({
    documentId,
    status: 'complete',
    statusUrl: `/v1/documents/${documentId}`,
  });
});

test.each([
  ['Plan\u0000\u001b[31m.pdf', 'Plan[31m.pdf'],
  ['  plan.pdf\r\n', 'plan.pdf'],
  ['fdp.\u202enalp.pdf', 'fdp.nalp.pdf'],
  ['Cafe\u0301.pdf', 'Café.pdf'],
  ['📄\ud83d.pdf', '📄\ufffd.pdf'],
  ['../../etc/passwd', '../../etc/passwd'],
  [`${'x'.repeat(255)}\u0007`, 'x'.repeat(255)],
])('the name %j is kept as %j', async (name, kept) => {
  const { announce, declared } = await acceptor();
  expect((await announce({ name })).statusCode).toBe(201);
  expect(declared[0]?.name).toBe(kept);
});

test('parameters and case of a type do not matter, nor does the case of a hash', async () => {
  const { announce, declared } = await acceptor();
  await announce({ type: 'Text/Markdown; charset=utf-8', sha256: 'AB'.repeat(32) });
  expect(declared[0]).toMatchObject({ mediaType: 'text/markdown', sha256: declaration.sha256 });
});

test.each([
  [{ type: 'image/png' }, 415, 'UNSUPPORTED_FILE_TYPE'],
  [{ type: '' }, 415, 'UNSUPPORTED_FILE_TYPE'],
  [{ type: 'constructor' }, 415, 'UNSUPPORTED_FILE_TYPE'],
  [{ sizeBytes: 0 }, 422, 'EMPTY_FILE'],
  [{ sizeBytes: 1_000_001 }, 413, 'DOCUMENT_TOO_LARGE'],
])('%j is refused before anything is recorded', async (changes, status, code) => {
  const { announce, declared } = await acceptor();
  const response = await announce(changes);
  expect(response.statusCode).toBe(status);
  expect(response.json().code).toBe(code);
  expect(declared).toEqual([]);
});

test('a confirm needs no body, but takes an empty one that calls itself JSON', async () => {
  const confirmed: string[] = [];
  const { request } = await apiUnderTest({
    documents: {
      confirmUpload: async (_caller, id) => {
        confirmed.push(id);
        return { documentId: id, status: 'awaiting_upload' };
      },
    },
  });
  const url = `/v1/uploads/${documentId.toUpperCase()}/confirm`;
  const bare = await request({ method: 'POST', url });
  const empty = await request({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload: '',
  });
  expect([bare.statusCode, empty.statusCode]).toEqual([202, 202]);
  expect(confirmed).toEqual([documentId, documentId]);
  expect(bare.json()).toEqual({
    documentId,
    status: 'awaiting_upload',
    statusUrl: `/v1/documents/${documentId}`,
  });
});
