import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UploadAnswer } from '../../../src/cli/api-client.ts';
import { followDocument, sendFile } from '../../../src/cli/ingest-file.ts';
import { clientWith, describedDocument } from '../../support/api-client.ts';

let folder: string;
let server: Server;
let uploadUrl: string;
let uploads: { type: string | undefined; length: string | undefined; body: string }[];
let uploadStatus: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'intake-ingest-'));
  uploads = [];
  uploadStatus = 200;
  server = createServer(async (request, response) => {
    const body = await text(request);
    const { 'content-type': type, 'content-length': length } = request.headers;
    uploads.push({ type, length, body });
    response.writeHead(uploadStatus).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  uploadUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/upload`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

const documentId = '5f4f3e9a-0000-4000-8000-000000000001';

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const accepted = (url?: string): UploadAnswer => ({
  documentId,
  status: 'awaiting_upload',
  statusUrl: `/v1/documents/${documentId}`,
  ...(url === undefined ? {} : { uploadUrl: url }),
});

test('a file is declared by its checksum, put with its type and length, and confirmed', async () => {
  const declared: unknown[] = [];
  const confirmed: string[] = [];
  const client = clientWith({
    declareUpload: async (declaration) => {
      declared.push(declaration);
      return accepted(uploadUrl);
    },
    confirmUpload: async (id) => {
      confirmed.push(id);
      return accepted();
    },
  });
  const content = '# Benefits\n';
  await expect(sendFile(client, file('Plan B.MD', content))).resolves.toBe(documentId);
  expect(declared).toEqual([
    {
      name: 'Plan B.MD',
      type: 'text/markdown',
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    },
  ]);
  expect(uploads).toEqual([{ type: 'text/markdown', length: `${content.length}`, body: content }]);
  expect(confirmed).toEqual([documentId]);
});

test('bytes that are there already are not sent again', async () => {
  const client = clientWith({ declareUpload: async () => accepted() });
  await expect(sendFile(client, file('a.txt', 'a'))).resolves.toBe(documentId);
  expect(uploads).toEqual([]);
});

test('an upload that storage refuses is not confirmed', async () => {
  uploadStatus = 507;
  const client = clientWith({ declareUpload: async () => accepted(uploadUrl) });
  await expect(sendFile(client, file('a.txt', 'a'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    detail: 'the upload was answered 507',
  });
});

test('a file of an unknown kind is refused before anything is sent', async () => {
  await expect(sendFile(clientWith({}), file('a.exe', 'a'))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FILE_TYPE',
  });
});

test('a file that cannot be read is named', async () => {
  await expect(sendFile(clientWith({}), join(folder, 'b.pdf'))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    detail: expect.stringContaining('b.pdf'),
  });
});

test('a document is followed until it has ended', async () => {
  const road = ['awaiting_upload', 'parse_queued', 'parse_queued', 'failed_parse'] as const;
  let looks = 0;
  const client = clientWith({
    document: async () => {
      const status = road[looks] ?? 'complete';
      looks += 1;
      return describedDocument({ status });
    },
  });
  const shown: string[] = [];
  const last = await followDocument(client, documentId, ({ status }) => shown.push(status));
  expect(last.status).toBe('failed_parse');
  expect(shown).toEqual(road);
});
