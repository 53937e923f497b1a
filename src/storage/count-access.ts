/** Tells what came of each read, look and copy: the seed's file-access success rate, where storage meets the rest. */
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import type { ObjectStore } from './object-store.ts';

const outcomes = {
  STORAGE_OBJECT_ABSENT: 'absent',
  STORAGE_FORBIDDEN: 'forbidden',
  STORAGE_UNAVAILABLE: 'unavailable',
  FILE_ACCESS_CIRCUIT_BREAKER_OPEN: 'breaker_open',
  DOCUMENT_TOO_LARGE: 'refused',
} as const satisfies Partial<Record<ErrorCode, string>>;

export type AccessOutcome = 'success' | (typeof outcomes)[keyof typeof outcomes];

/** Guarded or not, `store` is asked as before; a call that its caller gave up is no access. */
export function countAccess(
  store: ObjectStore,
  onAccess: (outcome: AccessOutcome) => void,
): ObjectStore {
  const counted = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    try {
      const result = await call();
      onAccess('success');
      return result;
    } catch (error) {
      tellFailure(error, onAccess);
      throw error;
    }
  };
  return {
    signUpload: (key, signal) => store.signUpload(key, signal),
    put: (key, body, options) => store.put(key, body, options),
    list: (prefix, signal) => store.list(prefix, signal),
    entries: (prefix, signal) => store.entries(prefix, signal),
    remove: (keys, signal) => store.remove(keys, signal),
    stat: (key, signal) => counted(() => store.stat(key, signal)),
    copy: (fromKey, toKey, signal) => counted(() => store.copy(fromKey, toKey, signal)),
    async read(key, options) {
      const body = await counted(() => store.read(key, options));
      // A body cut short after its call had succeeded.
      return body.once('error', (error) => tellFailure(error, onAccess));
    },
  };
}

function tellFailure(error: unknown, onAccess: (outcome: AccessOutcome) => void): void {
  const code = error instanceof IntakeError ? error.code : undefined;
  if (code !== undefined && Object.hasOwn(outcomes, code)) {
    onAccess(outcomes[code as keyof typeof outcomes]);
  }
}
