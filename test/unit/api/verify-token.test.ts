import { createServer } from 'node:http';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTokenVerifier, type VerifyToken } from '../../../src/api/verify-token.ts';
import { issuer, jwtSecret, newOwner, signToken } from '../../support/api-under-test.ts';

const ownerId = newOwner();
const bySecret = createTokenVerifier({ issuer, sharedSecret: jwtSecret, jwksUrl: undefined });

test('a token signed with the shared secret speaks for its subject', async () => {
  expect(await bySecret(await signToken(ownerId))).toEqual({ ownerId, operator: false });
});

test.each([
  [{ app_metadata: { intake_role: 'operator' } }, true],
  [{ app_metadata: { intake_role: 'reader' } }, false],
  [{ app_metadata: { intake_role: ['operator'] } }, false],
  [{ app_metadata: 'operator' }, false],
  // What people may write about themselves.
  [{ user_metadata: { intake_role: 'operator' } }, false],
  [{ intake_role: 'operator' }, false],
])('an operator is whom the service key has made one: %j', async (claims, operator) => {
  expect(await bySecret(await signToken(ownerId, claims))).toEqual({ ownerId, operator });
});

test('the subject is one owner however it is written', async () => {
  expect(await bySecret(await signToken(ownerId.toUpperCase()))).toEqual({
    ownerId,
    operator: false,
  });
});

const past = Math.floor(Date.now() / 1000) - 3600;
test.each([
  ['expired', { exp: past }],
  ['without an end', { exp: undefined }],
  ['not valid yet', { nbf: Math.floor(Date.now() / 1000) + 3600 }],
  ['of another audience', { aud: 'storage' }],
  ['without an audience', { aud: undefined }],
  ['of another issuer', { iss: 'https://other.supabase.test/auth/v1' }],
  ['without an issuer', { iss: undefined }],
  ['of the role anon', { role: 'anon' }],
  ['of the role service_role', { role: 'service_role' }],
  ['without a role', { role: undefined }],
  ['whose subject is no UUID', { sub: 'somebody' }],
  ['without a subject', { sub: undefined }],
])('a token %s is refused', async (_what, claims) => {
  expect(await bySecret(await signToken(ownerId, claims))).toBeUndefined();
});

test('the anonymous key is validly signed and refused', async () => {
  const anonKey = await new SignJWT({ iss: 'supabase', ref: 'project', role: 'anon' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('10 years')
    .sign(new TextEncoder().encode(jwtSecret));
  expect(await bySecret(anonKey)).toBeUndefined();
});

test('a foreign signature is refused', async () => {
  const token = await signToken(ownerId, {}, 'another-secret-that-is-long-enough-for-hs256');
  expect(await bySecret(token)).toBeUndefined();
});

test('a changed payload is refused', async () => {
  const [header, , signature] = (await signToken(ownerId)).split('.');
  const [, payload] = (await signToken(newOwner())).split('.');
  expect(await bySecret([header, payload, signature].join('.'))).toBeUndefined();
});

test.each(['none', 'None', 'HS512', 'HS384'])('the algorithm %s is refused', async (alg) => {
  const [, payload, signature] = (await signToken(ownerId)).split('.');
  const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
  expect(await bySecret(`${header}.${payload}.`)).toBeUndefined();
  expect(await bySecret(`${header}.${payload}.${signature}`)).toBeUndefined();
});

test.each(['', 'token', 'a.b.c', 'a.b', '..', '{}.{}.{}', 'ey.ey.ey.ey.ey'])(
  'nonsense %j is refused',
  async (token) => {
    expect(await bySecret(token)).toBeUndefined();
  },
);

describe('with a key set', () => {
  const kid = 'key-1';
  let keys: JWK[];
  let status: number;
  let fetches: number;
  let jwksUrl: string;
  let stop: () => Promise<void>;
  let byKeySet: VerifyToken;

  beforeEach(async () => {
    keys = [];
    status = 200;
    fetches = 0;
    const server = createServer((_request, response) => {
      fetches += 1;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    jwksUrl = `http://127.0.0.1:${port}/jwks.json`;
    stop = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    byKeySet = createTokenVerifier({ issuer, sharedSecret: undefined, jwksUrl });
  });
  afterEach(() => stop());

  async function newKey(alg: string, keyId: string) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const sign = () =>
      new SignJWT({ role: 'authenticated' })
        .setProtectedHeader({ alg, kid: keyId })
        .setIssuer(issuer)
        .setAudience('authenticated')
        .setSubject(ownerId)
        .setExpirationTime('1 h')
        .sign(privateKey);
    return { sign, publicKey, jwk: { ...(await exportJWK(publicKey)), kid: keyId, alg } };
  }

  test.each(['ES256', 'RS256'])('%s is good', async (alg) => {
    const { sign, jwk } = await newKey(alg, kid);
    keys = [jwk];
    expect(await byKeySet(await sign())).toEqual({ ownerId, operator: false });
  });

  test('an algorithm that we do not use is refused although its key is in the set', async () => {
    const { sign, jwk } = await newKey('PS256', kid);
    keys = [jwk];
    expect(await byKeySet(await sign())).toBeUndefined();
  });

  test('a foreign key under a known key id is refused', async () => {
    keys = [(await newKey('ES256', kid)).jwk];
    expect(await byKeySet(await (await newKey('ES256', kid)).sign())).toBeUndefined();
  });

  test('an HMAC made with a public key is refused', async () => {
    const { publicKey, jwk } = await newKey('RS256', kid);
    keys = [jwk];
    const confused = await signToken(ownerId, {}, await exportSPKI(publicKey));
    expect(await byKeySet(confused)).toBeUndefined();
    const both = createTokenVerifier({ issuer, sharedSecret: jwtSecret, jwksUrl });
    expect(await both(confused)).toBeUndefined();
  });

  test('a secret token is refused where only a key set is configured, and the other way round', async () => {
    const { sign, jwk } = await newKey('ES256', kid);
    keys = [jwk];
    expect(await byKeySet(await signToken(ownerId))).toBeUndefined();
    expect(await bySecret(await sign())).toBeUndefined();
  });

  test('secret and key set stand side by side', async () => {
    const { sign, jwk } = await newKey('ES256', kid);
    keys = [jwk];
    const both = createTokenVerifier({ issuer, sharedSecret: jwtSecret, jwksUrl });
    expect(await both(await signToken(ownerId))).toEqual({ ownerId, operator: false });
    expect(await both(await sign())).toEqual({ ownerId, operator: false });
  });

  test('an unknown key id makes no more than one fetch in a while', async () => {
    const known = await newKey('ES256', kid);
    keys = [known.jwk];
    expect(await byKeySet(await known.sign())).toEqual({ ownerId, operator: false });
    const unknown = await newKey('ES256', 'key-2');
    for (let time = 0; time < 5; time += 1) {
      expect(await byKeySet(await unknown.sign())).toBeUndefined();
    }
    expect(fetches).toBe(1);
  });

  test('a new key is found when the cooldown has passed', async () => {
    const old = await newKey('ES256', kid);
    const fresh = await newKey('ES256', 'key-2');
    keys = [old.jwk];
    expect(await byKeySet(await old.sign())).toEqual({ ownerId, operator: false });
    keys = [old.jwk, fresh.jwk];
    expect(await byKeySet(await fresh.sign())).toBeUndefined();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await byKeySet(await fresh.sign())).toEqual({ ownerId, operator: false });
    expect(fetches).toBe(2);
  });

  test('a key set that does not come is our trouble and not the token’s', async () => {
    const { sign } = await newKey('ES256', kid);
    status = 500;
    await expect(byKeySet(await sign())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await stop();
    await expect(byKeySet(await sign())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  test('a token of a refused algorithm fetches nothing', async () => {
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await byKeySet(`${header}.e30.`)).toBeUndefined();
    expect(fetches).toBe(0);
  });
});
