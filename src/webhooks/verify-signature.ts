/** The vendor's signature: `LC-Signature: sha256=<hex of HMAC-SHA256 over the raw body>`. */
import { createHmac } from 'node:crypto';
import { isAmong, type Keys } from './callback-token.ts';

export function isSignedBy(rawBody: Uint8Array, header: string, secrets: Keys): boolean {
  return isAmong(
    header.toLowerCase(),
    secrets.map((secret) => `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`),
  );
}
