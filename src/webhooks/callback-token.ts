/**
 * The token in a webhook's URL: `<parse job id>.<base64url HMAC-SHA256 of it>`. Whoever holds a parse job's id
 * and the key can make it again, and a forged one is refused without a look into the database.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ParseJobId, parseId } from '../domain/ids.ts';

/** The first key signs; all of them are believed, so that keys can be changed while webhooks are under way. */
export type Keys = readonly [string, ...string[]];

/** Reads a setting of the form `new,old`. */
export function keysOf(setting: string): Keys {
  const [first = '', ...rest] = setting.split(',').map((key) => key.trim());
  return [first, ...rest.filter((key) => key !== '')];
}

export function makeCallbackToken(parseJobId: ParseJobId, [key]: Keys): string {
  return `${parseJobId}.${sign(parseJobId, key)}`;
}

/** The parse job that a true token names, else `undefined`. */
export function readCallbackToken(token: string, keys: Keys): ParseJobId | undefined {
  const [id = '', signature = '', ...rest] = token.split('.');
  const parseJobId = parseId<ParseJobId>(id);
  if (parseJobId === undefined || rest.length > 0) return undefined;
  return isAmong(
    signature,
    keys.map((key) => sign(parseJobId, key)),
  )
    ? parseJobId
    : undefined;
}

/** Names the holder of a key without telling it: by this we know our jobs among those of others in one account. */
export function installationMark(key: string): string {
  return createHmac('sha256', key).update('installation').digest('base64url');
}

export function callbackUrl(publicUrl: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/webhooks/llamaparse/${token}`;
}

/** Compares with every candidate in constant time, so that the time tells neither place nor key. */
export function isAmong(given: string, candidates: readonly string[]): boolean {
  const bytes = Buffer.from(given);
  let found = false;
  for (const candidate of candidates) {
    const expected = Buffer.from(candidate);
    if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) found = true;
  }
  return found;
}

function sign(parseJobId: ParseJobId, key: string): string {
  return createHmac('sha256', key).update(parseJobId).digest('base64url');
}
