import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { toJson } from '../../../src/codec-server/json-payload.ts';
import { buildCodecServer } from '../../../src/codec-server/server.ts';
import { createReaderVerifier } from '../../../src/codec-server/verify-reader.ts';
import { createPayloadCodec, payloadKey } from '../../../src/temporal/payload-codec.ts';
import {
  type OperatorsIdentity,
  startOperatorsIdentity,
} from '../../support/operators-identity.ts';

const ui = 'https://temporal.example';
const key = payloadKey(randomBytes(32).toString('base64'));
const codec = createPayloadCodec([key], { encrypt: true });
const clear = toJson(defaultPayloadConverter.toPayload({ pages: 3 }));

let identity: OperatorsIdentity;
beforeAll(async () => {
  identity = await startOperatorsIdentity();
});
afterAll(() => identity.close());

function start() {
  const lines: string[] = [];
  const server = buildCodecServer({
    codec,
    verifyReader: createReaderVerifier({ ...identity, namespace: 'default' }),
    namespace: 'default',
    corsOrigin: ui,
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  });
  onTestFinished(() => server.close());
  const ask = async (
    url: string,
    { claims, ...request }: InjectOptions & { readonly claims?: Record<string, unknown> } = {},
  ) =>
    server.inject({
      method: 'POST',
      url,
      payload: { payloads: await encrypted() },
      ...request,
      headers: {
        authorization: `Bearer ${await identity.token(claims)}`,
        'x-namespace': 'default',
        ...request.headers,
      },
    });
  return { ask, lines };
}

async function encrypted() {
  return (await codec.encode([defaultPayloadConverter.toPayload({ pages: 3 })])).map(toJson);
}

test('what lies in Temporal comes back readable, and the log says who read how much', async () => {
  const { ask, lines } = start();
  const response = await ask('/decode');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ payloads: [clear] });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { subject: 'operator-7', operation: 'decode', payloads: 1, keyIds: [key.id] },
  ]);
});

test('payloads that nobody encrypted pass as they are', async () => {
  const { ask } = start();
  const response = await ask('/decode', { payload: { payloads: [clear] } });
  expect(response.json()).toEqual({ payloads: [clear] });
});

test('what an operator sends is encrypted for them, if they may write', async () => {
  const { ask } = start();
  const payload = { payloads: [clear] };
  expect((await ask('/encode', { payload })).statusCode).toBe(403);
  const response = await ask('/encode', { payload, claims: { permissions: ['default:write'] } });
  expect(response.statusCode).toBe(200);
  const read = await ask('/decode', { payload: response.json() });
  expect(response.json()).not.toEqual(payload);
  expect(read.json()).toEqual(payload);
});

test('the CLI asks for none where an event has none', async () => {
  const response = await start().ask('/decode', { payload: {} });
  expect([response.statusCode, response.json()]).toEqual([200, { payloads: [] }]);
});

test('the CLI may name the namespace in the path', async () => {
  expect((await start().ask('/default/decode')).statusCode).toBe(200);
});

describe('nobody else reads', () => {
  const past = Math.floor(Date.now() / 1000) - 600;
  test.each([
    ['expired', { exp: past }],
    ['without an end', { exp: undefined }],
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['of another audience', { aud: 'authenticated' }],
    ['without a subject', { sub: undefined }],
  ])('with a token %s', async (_what, claims) => {
    const { ask, lines } = start();
    const response = await ask('/decode', { claims });
    expect([response.statusCode, response.json()]).toEqual([401, { status: 401 }]);
    expect(lines.join()).toContain('no valid token');
  });

  test.each(['', 'Bearer', 'Bearer a.b.c', 'Basic b3BlcmF0b3I6'])(
    'with the credentials %j',
    async (authorization) => {
      const { ask } = start();
      expect((await ask('/decode', { headers: { authorization } })).statusCode).toBe(401);
    },
  );

  test.each([[[]], [['other:read']], [['default:nothing']], [['default']]])(
    'with the permissions %j',
    async (permissions) => {
      const { ask, lines } = start();
      expect((await ask('/decode', { claims: { permissions } })).statusCode).toBe(403);
      expect(lines.join()).toContain('operator-7');
    },
  );

  test.each(['other', ''])('of the namespace %j', async (namespace) => {
    const { ask } = start();
    expect((await ask('/decode', { headers: { 'x-namespace': namespace } })).statusCode).toBe(403);
  });
});

describe('browsers', () => {
  const preflight = { method: 'OPTIONS', payload: '' } as const;

  test('the page of the UI may ask', async () => {
    const { ask } = start();
    const headers = { origin: ui };
    const before = await ask('/decode', { ...preflight, headers });
    expect(before.statusCode).toBe(204);
    expect(before.headers).toMatchObject({
      'access-control-allow-origin': ui,
      'access-control-allow-headers': expect.stringContaining('authorization'),
    });
    const response = await ask('/decode', { headers });
    expect([response.statusCode, response.headers['access-control-allow-origin']]).toEqual([
      200,
      ui,
    ]);
  });

  test.each(['https://evil.example', 'null', `${ui}.evil.example`])(
    'a page of %s may not',
    async (origin) => {
      const { ask } = start();
      for (const request of [preflight, {}]) {
        const response = await ask('/decode', { ...request, headers: { origin } });
        expect(response.statusCode).toBe(403);
        expect(response.headers).not.toHaveProperty('access-control-allow-origin');
      }
    },
  );
});

test.each([
  ['no JSON', 'payloads'],
  ['no list', { payloads: {} }],
  ['no base64', { payloads: [{ data: '*' }] }],
])('%s is refused', async (_what, payload) => {
  const headers = { 'content-type': 'application/json' };
  expect((await start().ask('/decode', { payload, headers })).statusCode).toBe(400);
});

test('a payload of a key that is gone, or one that was changed, is said to be unreadable', async () => {
  const { ask } = start();
  const other = payloadKey(randomBytes(32).toString('base64'));
  const [foreign] = await createPayloadCodec([other], { encrypt: true }).encode([
    defaultPayloadConverter.toPayload(1),
  ]);
  const [own] = await encrypted();
  const changed = { ...own, data: Buffer.alloc(64, 7).toString('base64') };
  for (const payload of [foreign && toJson(foreign), changed]) {
    expect((await ask('/decode', { payload: { payloads: [payload] } })).statusCode).toBe(422);
  }
});

test('whoever asks too often waits', async () => {
  const { ask } = start();
  const answers = await Promise.all(Array.from({ length: 301 }, () => ask('/decode')));
  expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(1);
});
