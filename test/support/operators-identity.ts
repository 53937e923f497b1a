/** The operators' identity provider: signs tokens and serves its public keys, as an OIDC provider does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface OperatorsIdentity {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** `claims` stand in the place of the usual ones. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

export async function startOperatorsIdentity(): Promise<OperatorsIdentity> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audience = 'codec-server';
  return {
    issuer,
    audience,
    jwksUrl: `${issuer}/jwks`,
    token: (claims = {}) =>
      new SignJWT({
        iss: issuer,
        aud: audience,
        sub: 'operator-7',
        exp: Math.floor(Date.now() / 1000) + 600,
        permissions: ['default:read'],
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey),
    close: async () => {
      await new Promise((closed) => server.close(closed));
    },
  };
}
