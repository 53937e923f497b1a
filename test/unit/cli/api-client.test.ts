import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createApiClient } from '../../../src/cli/api-client.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Answers the first request by the first handler, and so on; the last one stays. */
async function serve(...handlers: Handler[]): Promise<string> {
  let served = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const handler = handlers[Math.min(served, handlers.length - 1)];
    served += 1;
    handler?.(request, response, body);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

test('a request carries the token and its JSON, and a trailing slash of the URL does no harm', async () => {
  const seen: unknown[] = [];
  const url = await serve((request, response, body) => {
    seen.push(request.method, request.url, request.headers.authorization, JSON.parse(body));
    response.end('{"untrusted":true,"passages":[]}');
  });
  const client = createApiClient({ url: `${url}/`, token: 'my-token' });
  await expect(client.search({ query: 'copay' })).resolves.toMatchObject({ passages: [] });
  expect(seen).toEqual(['POST', '/v1/search', 'Bearer my-token', { query: 'copay' }]);
});

test('only what is asked for stands in the query of a list', async () => {
  let path: string | undefined;
  const url = await serve((request, response) => {
    path = request.url;
    response.end('{"documents":[]}');
  });
  await createApiClient({ url, token: 't' }).documents({ status: 'complete', cursor: undefined });
  expect(path).toBe('/v1/documents?status=complete');
});

test('a problem comes back as the error that the server meant, with its fields', async () => {
  const url = await serve(
    answer(400, {
      code: 'INVALID_REQUEST',
      errors: [{ field: 'body.name', message: 'The name of the file is empty.' }],
    }),
  );
  await expect(createApiClient({ url, token: 't' }).limits()).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    detail: 'body.name: The name of the file is empty.',
  });
});

test('an overload is waited out as long as the server says', async () => {
  const url = await serve(
    answer(429, { code: 'RATE_LIMITED' }, { 'retry-after': '0' }),
    answer(503, { code: 'SERVICE_UNAVAILABLE' }, { 'retry-after': '0' }),
    answer(200, { maxPages: 7 }),
  );
  await expect(createApiClient({ url, token: 't' }).limits()).resolves.toEqual({ maxPages: 7 });
});

test('patience has an end', async () => {
  const url = await serve(answer(429, { code: 'RATE_LIMITED' }, { 'retry-after': '60' }));
  const client = createApiClient({ url, token: 't', patienceMs: 1_000 });
  await expect(client.limits()).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    retryAfterMs: 60_000,
  });
});

test('a full quota is the person’s to mend and is not waited out', async () => {
  const url = await serve(
    answer(429, { code: 'UPLOAD_QUOTA_EXCEEDED' }, { 'retry-after': '0' }),
    answer(200, {}),
  );
  const declaration = { name: 'a.pdf', type: 'application/pdf', sizeBytes: 1, sha256: 'x' };
  await expect(
    createApiClient({ url, token: 't' }).declareUpload(declaration),
  ).rejects.toMatchObject({ code: 'UPLOAD_QUOTA_EXCEEDED' });
});

test('a server that is not there is named by its address, without the path', async () => {
  const url = await serve();
  await new Promise((closed) => servers.pop()?.close(closed));
  const client = createApiClient({ url, token: 't', patienceMs: 0 });
  await expect(client.document('secret-id')).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    detail: `${url} refuses the connection`,
  });
});

test('a server that cuts the connection is there, and does not answer', async () => {
  const url = await serve((request) => void request.socket.destroy());
  const client = createApiClient({ url, token: 't', patienceMs: 0 });
  await expect(client.limits()).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    detail: `${url} does not answer`,
  });
});

test('an answer of somebody else on that port is no answer of Intake', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end('<html>'));
  const client = createApiClient({ url, token: 't', patienceMs: 0 });
  await expect(client.limits()).rejects.toMatchObject({
    code: 'INTERNAL_ERROR',
    detail: 'unexpected answer 404',
  });
});
