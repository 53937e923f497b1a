/**
 * The one place that reads Supabase Storage's errors. The HTTP status says little (400 stands for 404, 403, 409,
 * 413 and even 503), so the body's `code` and `statusCode` decide; a proxy's answer has only the status.
 */

/** `missing` is not yet absent: a refused read looks the same, until a control read succeeds. */
export type StorageFailure = 'missing' | 'exists' | 'too-large' | 'forbidden' | 'transient';

export interface StorageErrorFacts {
  /** HTTP status; `undefined` when there was no answer at all, or one that is not Storage's. */
  readonly status: number | undefined;
  /** A string in the body, `'404'`; the client falls back to `code` or the HTTP status. */
  readonly statusCode: string | undefined;
  /** Absent from proxies and from servers before 1.11. */
  readonly code: string | undefined;
  readonly message: string;
}

const byCode: Readonly<Record<string, StorageFailure>> = {
  NoSuchKey: 'missing',
  KeyAlreadyExists: 'exists',
  ResourceAlreadyExists: 'exists',
  BucketAlreadyExists: 'exists',
  EntityTooLarge: 'too-large',
  // The server's own store, database or locks, whatever number they carry.
  S3Error: 'transient',
  SlowDown: 'transient',
  LockTimeout: 'transient',
  ResourceLocked: 'transient',
  Aborted: 'transient',
};

const passingNumbers: readonly number[] = [408, 423, 425, 429, 499];

export function classifyStorageError(facts: StorageErrorFacts): StorageFailure {
  const { status, code, message } = facts;
  if (status === undefined || status >= 500) return 'transient';
  const known = code === undefined ? undefined : byCode[code];
  if (known !== undefined) return known;
  const stated = Number(facts.statusCode);
  const number = Number.isInteger(stated) ? stated : status;
  if (number >= 500 || passingNumbers.includes(number)) return 'transient';
  if (number === 413) return 'too-large';
  if (code === undefined && number === 404 && /object not found/i.test(message)) return 'missing';
  if (code === undefined && number === 409 && /already exists/i.test(message)) return 'exists';
  return 'forbidden';
}

/** What is known of anything that supabase-js gives or throws as an error. */
export function storageErrorFacts(error: unknown): StorageErrorFacts {
  const { status, statusCode, code, message } =
    typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  return {
    status: typeof status === 'number' ? status : undefined,
    statusCode: typeof statusCode === 'string' ? statusCode : undefined,
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : '',
  };
}
