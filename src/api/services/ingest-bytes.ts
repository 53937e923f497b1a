/** A file in the request itself: spooled to disk and hashed on the way (its hash names the document), then uploaded as any client would. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntakeError } from '../../domain/errors.ts';
import type { AcceptedDocument, Caller, IncomingFile } from '../dependencies.ts';
import { type AcceptDependencies, commitAcceptance } from './accept-document.ts';
import { confirmUpload } from './command-document.ts';
import { startAttempt } from './start-attempt.ts';

export async function ingestBytes(
  dependencies: AcceptDependencies,
  caller: Caller,
  file: IncomingFile,
): Promise<AcceptedDocument> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-upload-'));
  try {
    const path = join(folder, 'body');
    const { sizeBytes, sha256 } = await spool(file, path);
    const acceptance = await commitAcceptance(dependencies, caller, { ...file, sizeBytes, sha256 });
    const { documentId, created, run, uploadKey } = acceptance;
    if (uploadKey !== undefined) {
      const start = run && startAttempt(dependencies.pool, dependencies.runs, run);
      await Promise.all([
        dependencies.objectStore.put(uploadKey, createReadStream(path), {
          contentType: file.mediaType,
        }),
        start,
      ]);
      const confirmed = await confirmUpload(dependencies, caller, documentId);
      return { ...confirmed, created };
    }
    if (run) await startAttempt(dependencies.pool, dependencies.runs, run);
    return { documentId, status: acceptance.status, created };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spool(
  file: IncomingFile,
  path: string,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(file.content, measure, createWriteStream(path));
  } catch (error) {
    if (error instanceof IntakeError) throw error;
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: 'the file could not be spooled',
      cause: error,
    });
  }
  const sha256 = hash.digest('hex');
  if ((file.sizeBytes ?? sizeBytes) !== sizeBytes || (file.sha256 ?? sha256) !== sha256) {
    throw new IntakeError('DECLARATION_MISMATCH', {
      detail: 'size or SHA-256 of the request body',
    });
  }
  return { sizeBytes, sha256 };
}
