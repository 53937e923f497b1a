/**
 * Who may read payloads: tokens of the operators' identity provider, with Temporal's own claim `permissions`, a list
 * of `namespace:role`. Any role of the namespace may decode; encoding is for those who may write.
 */
import { type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { remoteKeySet } from '../identity/remote-key-set.ts';

export interface ReaderVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly namespace: string;
}

export interface Reader {
  /** The token's subject. */
  readonly subject: string;
  readonly mayDecode: boolean;
  readonly mayEncode: boolean;
}

/** `undefined` when the token is refused. Throws only when the key set cannot be had. */
export type VerifyReader = (token: string) => Promise<Reader | undefined>;

const CLOCK_TOLERANCE_SECONDS = 10;
/** Roles here hold for every namespace. */
const SYSTEM_NAMESPACE = 'temporal-system';
const readers = ['read', 'worker', 'write', 'admin'];
const writers = ['write', 'admin'];

const claims = z.object({ sub: z.string().min(1), permissions: z.array(z.string()).default([]) });

export function createReaderVerifier(options: ReaderVerifierOptions): VerifyReader {
  const keySet = remoteKeySet(options.jwksUrl);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keySet, {
        issuer: options.issuer,
        audience: options.audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        algorithms: ['ES256', 'RS256'],
      });
      return readerIn(payload, options.namespace);
    } catch (error) {
      if (error instanceof IntakeError) throw error;
      return undefined;
    }
  };
}

function readerIn(payload: JWTPayload, namespace: string): Reader {
  const { sub, permissions } = claims.parse(payload);
  const has = (roles: readonly string[]) =>
    permissions.some((permission) =>
      [namespace, SYSTEM_NAMESPACE].some((scope) =>
        roles.some((role) => permission === `${scope}:${role}`),
      ),
    );
  return { subject: sub, mayDecode: has(readers), mayEncode: has(writers) };
}
