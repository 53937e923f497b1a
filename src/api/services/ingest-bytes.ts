/** A file in the request itself: spooled to disk and hashed on the way (its hash names the document), then uploaded as any client would. */
import { createReadStream } from 'node:fs';
import { IntakeError } from '../../domain/errors.ts';
import { type SpooledFile, withSpooledFile } from '../../spool/spooled-file.ts';
import type { AcceptedDocument, Caller, IncomingFile } from '../dependencies.ts';
import { type AcceptDependencies, commitAcceptance } from './accept-document.ts';
import { confirmUpload } from './command-document.ts';
import { startAttempt } from './start-attempt.ts';

export function ingestBytes(
  dependencies: AcceptDependencies,
  caller: Caller,
  incoming: IncomingFile,
): Promise<AcceptedDocument> {
  return withSpooledFile(incoming.content, async (file) => {
    requireDeclared(incoming, file);
    const { name, mediaType } = incoming;
    const { sizeBytes, sha256 } = file;
    const acceptance = await commitAcceptance(dependencies, caller, {
      name,
      mediaType,
      sizeBytes,
      sha256,
    });
    const { documentId, status, created, run, upload } = acceptance;
    const { pool, runs, objectStore } = dependencies;
    const body = upload && createReadStream(file.path);
    await Promise.all([
      run && startAttempt(pool, runs, run),
      upload && body && objectStore.put(upload.key, body, { contentType: mediaType }),
    ]);
    if (upload === undefined) return { documentId, status, created };
    const confirmed = await confirmUpload(dependencies, caller, documentId);
    return { ...confirmed, created };
  });
}

function requireDeclared(incoming: IncomingFile, { sizeBytes, sha256 }: SpooledFile): void {
  if ((incoming.sizeBytes ?? sizeBytes) !== sizeBytes) throw new IntakeError('SIZE_MISMATCH');
  if ((incoming.sha256 ?? sha256) !== sha256) throw new IntakeError('CHECKSUM_MISMATCH');
}
