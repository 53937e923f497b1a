/** Creates the private bucket where it is missing. For a first start; production buckets are made by migrations or by hand. */
import { IntakeError } from '../domain/errors.ts';
import { storageError } from './control-read.ts';
import { createStorageSession, isFailure, type StorageSessionOptions } from './storage-session.ts';

export interface BucketOptions {
  readonly maxFileBytes: number;
  readonly signal?: AbortSignal;
}

/** Throws `STORAGE_FORBIDDEN` when the bucket exists and is public. */
export async function ensureBucket(
  storage: StorageSessionOptions,
  { maxFileBytes, signal }: BucketOptions,
): Promise<void> {
  const session = createStorageSession(storage);
  const { bucket } = storage;
  try {
    await session
      .send(
        (_files, buckets) =>
          buckets.createBucket(bucket, { public: false, fileSizeLimit: maxFileBytes }),
        { signal },
      )
      .catch((error: unknown) => {
        if (!isFailure(error, 'exists')) throw error;
      });
    const found = await session.send((_files, buckets) => buckets.getBucket(bucket), { signal });
    if (found.public) {
      throw new IntakeError('STORAGE_FORBIDDEN', { detail: 'the bucket is public' });
    }
  } catch (error) {
    throw storageError(error);
  }
}
