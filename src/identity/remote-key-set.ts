/** Public keys of whoever signs tokens, fetched when they are first asked for and again when a token names a new one. */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { IntakeError } from '../domain/errors.ts';

/** An unknown key id makes us fetch the key set again, but not more often than this. */
const COOLDOWN_MS = 30_000;

/** A key that is not there refuses the token; a key set that does not come is our trouble, not the caller's. */
export function remoteKeySet(url: string): JWTVerifyGetKey {
  const keySet = createRemoteJWKSet(new URL(url), { cooldownDuration: COOLDOWN_MS });
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new IntakeError('SERVICE_UNAVAILABLE', { detail: 'key set not fetched', cause: error });
    }
  };
}
