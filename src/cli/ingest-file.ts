/** A file on its whole road, as any client would send it: declare, put, confirm, then look until it has ended. */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { basename, extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { IntakeError } from '../domain/errors.ts';
import { isTerminal } from '../domain/ingestion.ts';
import { type MediaType, mediaTypes } from '../domain/media-types.ts';
import type { ApiClient, DocumentDetail } from './api-client.ts';

const UPLOAD_TIMEOUT_MS = 600_000;
const FIRST_LOOK_MS = 150;
const LONGEST_PAUSE_MS = 2_000;

/** Sends the file unless its bytes are there already. Resolves with the document's id as soon as it is on its way. */
export async function sendFile(
  client: ApiClient,
  path: string,
  name: string = basename(path),
): Promise<string> {
  const type = claimedType(path) ?? claimedType(name);
  if (type === undefined) throw new IntakeError('UNSUPPORTED_FILE_TYPE');
  const { sha256, bytes } = await readFile(path);
  const { documentId, uploadUrl } = await client.declareUpload({
    name,
    type,
    sizeBytes: bytes.size,
    sha256,
  });
  if (uploadUrl !== undefined) {
    await put(uploadUrl, bytes, type);
    await client.confirmUpload(documentId);
  }
  return documentId;
}

/** Looks until the document has ended, and shows each look. */
export async function followDocument(
  client: ApiClient,
  documentId: string,
  show: (document: DocumentDetail) => void,
): Promise<DocumentDetail> {
  let pauseMs = FIRST_LOOK_MS;
  let seen: string | undefined;
  for (;;) {
    const document = await client.document(documentId);
    show(document);
    if (isTerminal(document.status)) return document;
    pauseMs = document.status === seen ? Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS) : FIRST_LOOK_MS;
    seen = document.status;
    await delay(pauseMs);
  }
}

const otherEndings: Readonly<Record<string, MediaType>> = {
  htm: 'text/html',
  markdown: 'text/markdown',
};

/** What the name says; the server looks at the bytes. */
function claimedType(name: string): MediaType | undefined {
  const ending = extname(name).slice(1).toLowerCase();
  const known = Object.entries(mediaTypes).find(([, { extension }]) => extension === ending);
  return (known?.[0] as MediaType | undefined) ?? otherEndings[ending];
}

/** The bytes stay on disk: they are read once for the checksum and once for the upload. */
async function readFile(path: string): Promise<{ sha256: string; bytes: Blob }> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return { sha256: hash.digest('hex'), bytes: await openAsBlob(path) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new IntakeError('INVALID_REQUEST', {
      detail: `${path} cannot be read: ${reason}`,
      cause,
    });
  }
}

async function put(url: string, bytes: Blob, type: MediaType): Promise<void> {
  let status: number;
  try {
    const response = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: bytes,
      signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
    });
    await response.body?.cancel();
    status = response.status;
  } catch (cause) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'the upload was cut short', cause });
  }
  if (status >= 300) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: `the upload was answered ${status}` });
  }
}
