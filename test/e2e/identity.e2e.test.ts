/** Every route knows its caller: all that the API says it has are tried with every token that is wrong in one thing. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPerson, exchange } from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';

interface Route {
  readonly method: string;
  readonly path: string;
}

const owner = randomUUID();
const knownKey = await generateKeyPair('ES256', { extractable: true });
const otherKey = await generateKeyPair('ES256');
const keySet = createServer(async (_request, response) => {
  const key = { ...(await exportJWK(knownKey.publicKey)), kid: 'known', alg: 'ES256' };
  response.end(JSON.stringify({ keys: [key] }));
});

let database: TestDatabase;
let stack: Stack;
let closed: readonly Route[];
let open: readonly Route[];
beforeAll(async () => {
  await new Promise<void>((listening) => keySet.listen(0, '127.0.0.1', listening));
  const { port } = keySet.address() as AddressInfo;
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { SUPABASE_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` },
  });
  [closed, open] = await routes();
});
afterAll(async () => {
  await stack.close();
  await database.close();
  keySet.close();
});

/** As the API itself describes them, so that a new one is tried without anybody thinking of it. */
async function routes(): Promise<[Route[], Route[]]> {
  const { body } = await exchange<{
    paths: Record<string, Record<string, { readonly security?: readonly unknown[] }>>;
  }>(`${stack.url}/openapi.json`);
  const all = Object.entries(body.paths).flatMap(([pattern, operations]) =>
    Object.entries(operations).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: pattern.replace('{id}', randomUUID()),
      asksForToken: security?.length !== 0,
    })),
  );
  return [all.filter((route) => route.asksForToken), all.filter((route) => !route.asksForToken)];
}

/** Of an ordinary access token, changed in one thing. */
function claims(change: JWTPayload = {}): JWTPayload {
  return {
    iss: `${stack.environment['SUPABASE_URL']}/auth/v1`,
    aud: 'authenticated',
    role: 'authenticated',
    sub: owner,
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...change,
  };
}

function token(
  change?: JWTPayload,
  secret = stack.environment['SUPABASE_JWT_SECRET'] ?? '',
): Promise<string> {
  return new SignJWT(claims(change))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret));
}

function byKey(kid: string, { privateKey }: typeof otherKey): Promise<string> {
  return new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
}

const wrong: Readonly<Record<string, () => Promise<string> | string>> = {
  'no token': () => '',
  nonsense: () => 'nonsense',
  expired: () => token({ exp: Math.floor(Date.now() / 1000) - 60 }),
  'a foreign signature': () => token({}, randomUUID()),
  'algorithm none': () => new UnsecuredJWT(claims()).encode(),
  'another audience': () => token({ aud: 'other' }),
  'another issuer': () => token({ iss: 'https://elsewhere.test/auth/v1' }),
  'a subject that is no id': () => token({ sub: 'ada@example.org' }),
  'the anon key': () => token({ role: 'anon', aud: 'anon', iss: 'supabase' }),
  'the service key': () => stack.environment['SUPABASE_SERVICE_ROLE_KEY'] ?? '',
  'an unknown key id': () => byKey('unknown', otherKey),
  'a foreign key under a known id': () => byKey('known', otherKey),
};

/** So many refused tokens an address may show a minute; a fresh process has seen none. */
const REFUSALS_A_MINUTE = 60;
let left = REFUSALS_A_MINUTE;

describe.each(Object.entries(wrong))('%s', (_name, make) => {
  beforeEach(async () => {
    left -= closed.length;
    if (left >= 0) return;
    left = REFUSALS_A_MINUTE - closed.length;
    await stack.api.stop();
    await stack.api.start();
  });

  test('opens no route', async () => {
    const stranger = createPerson(stack.url, owner, await make());
    for (const { method, path } of closed) {
      expectProblem(await stranger.send(method, path), 401, 'UNAUTHENTICATED');
    }
  });
});

test('good tokens of both kinds open every route', async () => {
  for (const good of [await token(), await byKey('known', knownKey)]) {
    const person = createPerson(stack.url, owner, good);
    for (const { method, path } of closed) {
      const { status } = await person.send(method, path);
      expect(status, `${method} ${path}`).not.toBe(401);
    }
    expect((await person.send('GET', '/v1/limits')).status).toBe(200);
  }
});

test('nothing else is open than health', () => {
  expect(closed.length).toBeGreaterThan(10);
  expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /health/live',
    'GET /health/ready',
    'GET /health/database',
  ]);
});

test('an address that nobody has is a problem like any other', async () => {
  const person = createPerson(stack.url, owner, await token());
  expectProblem(await person.send('GET', '/v1/nothing'), 404, 'NOT_FOUND');
});
