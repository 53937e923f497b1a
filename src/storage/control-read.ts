/**
 * The control read. A missing object and an empty list prove nothing by themselves: a refused caller and a
 * missing bucket get the same answers. Only a caller who may read the bucket's row is told the truth.
 */
import { IntakeError } from '../domain/errors.ts';
import { StorageCallError, type StorageSession } from './storage-session.ts';

export interface ControlledBucket {
  readonly session: StorageSession;
  readonly bucket: string;
  readonly signal: AbortSignal | undefined;
}

/** Throws `STORAGE_FORBIDDEN` or `STORAGE_UNAVAILABLE`. */
export async function controlRead({ session, bucket, signal }: ControlledBucket): Promise<void> {
  try {
    await session.send((_files, storage) => storage.getBucket(bucket), { signal });
  } catch (error) {
    throw storageError(error);
  }
}

/** What a failed call means to callers; a missing object is absent when the control read succeeds. */
export async function translateStorageError(
  error: unknown,
  control: ControlledBucket,
): Promise<unknown> {
  const { signal } = control;
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof StorageCallError) || error.failure !== 'missing') {
    return storageError(error);
  }
  return controlRead(control).then(
    () => new IntakeError('STORAGE_OBJECT_ABSENT', { detail: error.message, cause: error }),
    (refusal: unknown) => (signal?.aborted ? signal.reason : refusal),
  );
}

/** Not to be asked about objects: here whatever is missing or exists already is a refusal. */
export function storageError(error: unknown): IntakeError {
  if (error instanceof IntakeError) return error;
  if (!(error instanceof StorageCallError)) {
    return new IntakeError('STORAGE_UNAVAILABLE', { cause: error });
  }
  const { failure, message: detail, retryAfterMs } = error;
  const options = { detail, cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  switch (failure) {
    case 'transient':
      return new IntakeError('STORAGE_UNAVAILABLE', options);
    case 'too-large':
      return new IntakeError('DOCUMENT_TOO_LARGE', options);
    case 'missing':
    case 'exists':
    case 'forbidden':
      return new IntakeError('STORAGE_FORBIDDEN', options);
    default:
      return failure satisfies never;
  }
}
