/** What goes over the wire, seen by a server that keeps the last request. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOpenAiEmbedder } from '../../../src/embedding/openai-embedder.ts';
import { unlimited } from '../../support/unlimited.ts';

const never = new AbortController().signal;

describe('createOpenAiEmbedder', () => {
  let server: Server;
  let baseUrl: string;
  let seen: { url: string | undefined; headers: IncomingHttpHeaders; body: unknown };

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      seen = { url: request.url, headers: request.headers, body: await json(request) };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: [{ index: 0, embedding: [1, 2, 3] }] }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  afterAll(() => server.close());

  const embed = (model: string) =>
    createOpenAiEmbedder({
      baseUrl,
      apiKey: 'key',
      model,
      dimensions: 3,
      batchSize: 1,
      withinBudget: unlimited,
    }).embed(['text'], never);

  it('asks for plain floats at the configured address with the configured key', async () => {
    expect(await embed('some-model')).toEqual([[1, 2, 3]]);
    expect(seen.url).toBe('/v1/embeddings');
    expect(seen.headers.authorization).toBe('Bearer key');
    expect(seen.body).toEqual({ model: 'some-model', input: ['text'], encoding_format: 'float' });
  });

  it('names the width only to models that can choose it', async () => {
    await embed('text-embedding-3-small');
    expect(seen.body).toMatchObject({ dimensions: 3 });
    await embed('text-embedding-ada-002');
    expect(seen.body).not.toHaveProperty('dimensions');
  });

  it('takes nothing from the environment that the SDK would, least of all a log of the text', async () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org');
    vi.stubEnv('OPENAI_PROJECT_ID', 'project');
    vi.stubEnv('OPENAI_LOG', 'debug');
    const debug = vi.spyOn(console, 'debug');
    await embed('some-model');
    expect(seen.headers).not.toHaveProperty('openai-organization');
    expect(seen.headers).not.toHaveProperty('openai-project');
    expect(debug).not.toHaveBeenCalled();
  });
});
