/**
 * Keys that mean the same to us, to the client and to the server. The client does not escape keys, so `#` and `?`
 * would cut one, `%` and `..` would change it, and doubled slashes are dropped on upload only.
 */
import { IntakeError } from '../domain/errors.ts';

const SEGMENT = "[A-Za-z0-9_!.*'() &$=@;:+,-]+";
const KEY = new RegExp(`^${SEGMENT}(/${SEGMENT})*$`);

export function checkedKey(key: string): string {
  const dotted = key.split('/').some((segment) => segment === '.' || segment === '..');
  if (!KEY.test(key) || dotted || key !== key.trim()) {
    throw new IntakeError('STORAGE_FORBIDDEN', { detail: 'key outside the alphabet of keys' });
  }
  return key;
}

/** A prefix is a key and a slash. */
export function checkedPrefix(prefix: string): string {
  checkedKey(prefix.slice(0, -1));
  if (!prefix.endsWith('/')) {
    throw new IntakeError('STORAGE_FORBIDDEN', { detail: 'prefix without its slash' });
  }
  return prefix;
}
