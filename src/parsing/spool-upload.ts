/**
 * A stream as a `File` that stays on disk. The SDK reads whole streams into memory before it sends them;
 * a file-backed Blob is sent from where it lies.
 */
import { openAsBlob } from 'node:fs';
import type { Readable } from 'node:stream';
import { IntakeError } from '../domain/errors.ts';
import { withSpooledFile } from '../spool/spooled-file.ts';

export interface Upload {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly content: Readable;
  readonly signal: AbortSignal;
}

/** Runs `work` with the file, which is gone afterwards. A stream of another size is never handed on. */
export function withUploadFile<Result>(
  { name, mediaType, sizeBytes, content, signal }: Upload,
  work: (file: File) => Promise<Result>,
): Promise<Result> {
  return withSpooledFile(
    content,
    async (spooled) => {
      if (spooled.sizeBytes !== sizeBytes) {
        throw new IntakeError('STORAGE_UNAVAILABLE', {
          detail: `read ${spooled.sizeBytes} of ${sizeBytes} bytes`,
        });
      }
      const blob = await openAsBlob(spooled.path, { type: mediaType });
      return await work(new File([blob], name, { type: mediaType }));
    },
    signal,
  );
}
