/** What a bucket allows, as its row says. */
import { storageError } from './control-read.ts';
import { createStorageSession, type StorageSessionOptions } from './storage-session.ts';

export interface BucketFacts {
  readonly isPublic: boolean;
  /** `undefined` where the bucket sets no limit of its own. */
  readonly maxFileBytes: number | undefined;
  readonly allowedTypes: readonly string[] | undefined;
}

/** Throws `STORAGE_FORBIDDEN` or `STORAGE_UNAVAILABLE`. */
export async function readBucket(storage: StorageSessionOptions): Promise<BucketFacts> {
  try {
    const row = await createStorageSession(storage).send(
      (_files, buckets) => buckets.getBucket(storage.bucket),
      { signal: undefined },
    );
    return {
      isPublic: row.public,
      maxFileBytes: row.file_size_limit ?? undefined,
      allowedTypes: row.allowed_mime_types ?? undefined,
    };
  } catch (error) {
    throw storageError(error);
  }
}
