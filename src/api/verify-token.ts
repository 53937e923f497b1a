/**
 * Whose token is this: Supabase access tokens, HS256 by the configured secret, ES256 and RS256 by the key set.
 * The header picks among our keys but never what a key is good for: a public key is no HMAC secret.
 */
import { createSecretKey } from 'node:crypto';
import { decodeProtectedHeader, type JWTVerifyResult, jwtVerify } from 'jose';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { type OwnerId, parseId } from '../domain/ids.ts';
import { remoteKeySet } from '../identity/remote-key-set.ts';

export interface TokenVerifierOptions {
  readonly issuer: string;
  /** For HS256 and nothing else. */
  readonly sharedSecret: string | undefined;
  /** For ES256 and RS256 and nothing else. */
  readonly jwksUrl: string | undefined;
}

export interface Identity {
  readonly ownerId: OwnerId;
  /** One of the people who run Intake. */
  readonly operator: boolean;
}

/** Whom a token speaks for, or `undefined` when it is refused. Throws only when the key set cannot be had. */
export type VerifyToken = (token: string) => Promise<Identity | undefined>;

/** In `app_metadata`, which people cannot change of themselves, as they can `user_metadata`. */
const operatorClaim = z.object({ intake_role: z.literal('operator') });

const CLOCK_TOLERANCE_SECONDS = 10;

export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const secret = options.sharedSecret && createSecretKey(options.sharedSecret, 'utf8');
  const keySet = options.jwksUrl && remoteKeySet(options.jwksUrl);
  const claims = {
    issuer: options.issuer,
    audience: 'authenticated',
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
  };

  async function verified(token: string): Promise<JWTVerifyResult | undefined> {
    if (decodeProtectedHeader(token).alg === 'HS256') {
      return secret ? jwtVerify(token, secret, { ...claims, algorithms: ['HS256'] }) : undefined;
    }
    return keySet
      ? jwtVerify(token, keySet, { ...claims, algorithms: ['ES256', 'RS256'] })
      : undefined;
  }

  return async (token) => {
    try {
      return identityIn(await verified(token));
    } catch (error) {
      if (error instanceof IntakeError) throw error;
      return undefined;
    }
  };
}

/** The anonymous and the service key are validly signed as well: only the role tells them from a person's token. */
function identityIn(result: JWTVerifyResult | undefined): Identity | undefined {
  if (result?.payload['role'] !== 'authenticated') return undefined;
  const ownerId = parseId<OwnerId>(result.payload.sub?.toLowerCase() ?? '');
  if (ownerId === undefined) return undefined;
  const operator = operatorClaim.safeParse(result.payload['app_metadata']).success;
  return { ownerId, operator };
}
