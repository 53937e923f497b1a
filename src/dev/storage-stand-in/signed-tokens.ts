/** Tokens of signed URLs: JWTs bound to one object and one direction, as the real server signs them. */
import { errors, jwtVerify, SignJWT } from 'jose';
import { refuse } from './refusals.ts';

interface UploadClaims {
  /** `<bucket>/<key>` */
  readonly url: string;
  readonly scope: 'upload';
  readonly upsert: boolean;
}

interface DownloadClaims {
  readonly url: string;
  readonly scope: 'download';
}

export interface SignedTokens {
  sign(claims: UploadClaims | DownloadClaims, lifetimeSeconds: number): Promise<string>;
  /** The `upsert` claim; refuses expired, tampered and foreign tokens. */
  verify(token: string, expected: { url: string; scope: 'upload' | 'download' }): Promise<boolean>;
}

export function createSignedTokens(secretText: string): SignedTokens {
  const secret = new TextEncoder().encode(secretText);
  return {
    sign: (claims, lifetimeSeconds) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
        .sign(secret),
    async verify(token, expected) {
      const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] }).catch(
        (error: unknown) => {
          throw error instanceof errors.JOSEError ? refuse.invalidJwt(error.message) : error;
        },
      );
      if (payload['scope'] !== expected.scope || payload['url'] !== expected.url) {
        throw refuse.invalidSignature();
      }
      return payload['upsert'] === true;
    },
  };
}
