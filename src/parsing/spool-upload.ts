/**
 * A stream as a `File` that stays on disk. The SDK reads whole streams into memory before it sends them;
 * a file-backed Blob is sent from where it lies.
 */
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntakeError } from '../domain/errors.ts';

export interface Upload {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly content: Readable;
  readonly signal: AbortSignal;
}

/** Runs `work` with the file, which is gone afterwards. A stream of another size is never handed on. */
export async function withSpooledFile<Result>(
  upload: Upload,
  work: (file: File) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-upload-'));
  try {
    const path = join(folder, 'content');
    await pipeline(upload.content, createWriteStream(path), { signal: upload.signal });
    const blob = await openAsBlob(path, { type: upload.mediaType });
    if (blob.size !== upload.sizeBytes) {
      throw new IntakeError('STORAGE_UNAVAILABLE', {
        detail: `read ${blob.size} of ${upload.sizeBytes} bytes`,
      });
    }
    return await work(new File([blob], upload.name, { type: upload.mediaType }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
