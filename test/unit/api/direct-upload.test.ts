import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { IncomingFile } from '../../../src/api/dependencies.ts';
import { IntakeError } from '../../../src/domain/errors.ts';
import { apiUnderTest, newDocumentId, signToken } from '../../support/api-under-test.ts';

const documentId = newDocumentId();
const maxFileBytes = 100_000;
const pdf = { 'content-type': 'application/pdf' };

/** A service that reads what it is given, as the real one does. */
async function reader() {
  const files: (Omit<IncomingFile, 'content'> & { readonly bytes: Buffer })[] = [];
  const failures: unknown[] = [];
  const api = await apiUnderTest({
    settings: { maxFileBytes },
    documents: {
      ingestBytes: async (_caller, { content, ...claims }) => {
        const bytes = await buffer(content).catch((error: unknown) => {
          failures.push(error);
          throw error;
        });
        files.push({ ...claims, bytes });
        return { documentId, status: 'awaiting_upload', created: true };
      },
    },
  });
  const send = (payload: string | Buffer, headers: Record<string, string> = pdf, query = '') =>
    api.request({ method: 'POST', url: `/v1/documents${query}`, headers, payload });
  return { ...api, send, files, failures };
}

test('the bytes arrive as they are', async () => {
  const { send, files } = await reader();
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
  const response = await send(bytes);
  expect(response.statusCode).toBe(201);
  expect(response.json()).toEqual({
    documentId,
    status: 'awaiting_upload',
    statusUrl: `/v1/documents/${documentId}`,
  });
  expect(files[0]?.bytes.equals(bytes)).toBe(true);
  expect(files[0]).toMatchObject({
    mediaType: 'application/pdf',
    sizeBytes: 70_000,
    sha256: undefined,
    name: 'document.pdf',
  });
});

test('JSON that is a document is not parsed', async () => {
  const { send, files } = await reader();
  await send('{"not": "ours', { 'content-type': 'text/plain' });
  expect(files[0]?.bytes.toString()).toBe('{"not": "ours');
});

test.each([
  [{ 'x-document-name': 'Plan%20f%C3%BCr%20%E4%BD%A0.pdf' }, '', 'Plan für 你.pdf'],
  [{ 'x-document-name': 'plan.pdf' }, '?name=other.pdf', 'plan.pdf'],
  [{}, '?name=Plan%20f%C3%BCr%20mich.pdf', 'Plan für mich.pdf'],
  [{ 'x-document-name': 'a%0D%0Ab%00.pdf' }, '', 'ab.pdf'],
])('the name in %j %s is %s', async (headers, query, name) => {
  const { send, files } = await reader();
  await send('x', { ...pdf, ...headers }, query);
  expect(files[0]?.name).toBe(name);
});

test('a hash is passed on to be checked', async () => {
  const { send, files } = await reader();
  await send('x', { ...pdf, 'x-content-sha256': 'AB'.repeat(32) });
  expect(files[0]?.sha256).toBe('ab'.repeat(32));
});

test.each([
  ['a name that is not encoded', 400, { ...pdf, 'x-document-name': '100%' }],
  ['an empty name', 400, { ...pdf, 'x-document-name': '%20' }],
  ['a hash that is none', 400, { ...pdf, 'x-content-sha256': 'abc' }],
  ['a type we do not read', 415, { 'content-type': 'image/png' }],
  ['a type that is none', 415, { 'content-type': 'pdf' }],
])('%s is refused before a byte is read', async (_what, status, headers) => {
  const { send, files } = await reader();
  expect((await send('x', headers)).statusCode).toBe(status);
  expect(files).toEqual([]);
});

test('a file that says it is empty is refused', async () => {
  const { send } = await reader();
  const response = await send('', { ...pdf, 'content-length': '0' });
  expect(response.json()).toMatchObject({ status: 422, code: 'EMPTY_FILE' });
});

test('a file that says it is too large is refused before a byte is read', async () => {
  const { send, files } = await reader();
  const response = await send(Buffer.alloc(maxFileBytes + 1));
  expect(response.json()).toMatchObject({ status: 413, code: 'DOCUMENT_TOO_LARGE' });
  expect(files).toEqual([]);
});

test('a file that does not say so is refused when it is, and the sender reads why', async () => {
  const { app, ownerId, failures } = await reader();
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(Buffer.alloc(maxFileBytes / 4)),
  });
  const response = await fetch(`${base}/v1/documents`, {
    method: 'POST',
    headers: { ...pdf, authorization: `Bearer ${await signToken(ownerId)}` },
    body: endless,
    duplex: 'half',
  });
  expect(await response.json()).toMatchObject({ status: 413, code: 'DOCUMENT_TOO_LARGE' });
  expect(response.headers.get('connection')).toBe('close');
  expect(failures).toEqual([expect.objectContaining({ code: 'DOCUMENT_TOO_LARGE' })]);
});

/** Reads nothing before it has written everything, as many clients do. */
async function writeOn(base: string, headers: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const chunk = Buffer.alloc(MUCH_MORE_THAN_BUFFERS);
  socket.pause();
  socket.write(['POST /v1/documents HTTP/1.1', 'Host: localhost', ...headers, '', ''].join('\r\n'));
  socket.write(`${chunk.length.toString(16)}\r\n`);
  socket.write(chunk);
  const { promise: written, resolve, reject } = Promise.withResolvers<void>();
  socket.write('\r\n0\r\n\r\n', (error) => (error ? reject(error) : resolve()));
  await written;
  return await text(socket);
}

const MUCH_MORE_THAN_BUFFERS = 32_000_000;

test.each([
  ['without a token', 401, ''],
  ['of a type we do not read', 415, 'image/png'],
  ['in the middle, since it is too large', 413, 'application/pdf'],
])('a sender that writes on is refused %s with %i, and reads it', async (_why, status, type) => {
  const { app, ownerId } = await reader();
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const token = type === '' ? 'none' : await signToken(ownerId);
  const answer = await writeOn(base, [
    `Authorization: Bearer ${token}`,
    `Content-Type: ${type}`,
    'Transfer-Encoding: chunked',
  ]);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/"retryable":false,"correlationId":"[^"]+"}$/);
});

test('a sender that goes away is no fault of ours', async () => {
  const { app, ownerId, failures, logs } = await reader();
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(
    [
      'POST /v1/documents HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${await signToken(ownerId)}`,
      'Content-Type: application/pdf',
      'Content-Length: 1000',
      '',
      'half',
    ].join('\r\n'),
  );
  const arrived = once(app.server, 'request');
  await arrived;
  socket.destroy();
  await expect.poll(() => failures).toEqual([expect.any(IntakeError)]);
  expect(failures).toEqual([expect.objectContaining({ code: 'INVALID_REQUEST' })]);
  expect(logs.some((line) => JSON.parse(line).level >= 50)).toBe(false);
});
