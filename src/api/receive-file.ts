/** A file that is the body of a request: its claims, and its bytes up to the limit. */
import { Readable } from 'node:stream';
import { IntakeError } from '../domain/errors.ts';
import { isMediaType, type MediaType } from '../domain/media-types.ts';

/** Refuses what need not be sent at all. */
export function checkClaims(
  type: string,
  sizeBytes: number | undefined,
  maxFileBytes: number,
): MediaType {
  const essence = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (!isMediaType(essence)) throw new IntakeError('UNSUPPORTED_FILE_TYPE');
  if (sizeBytes === 0) throw new IntakeError('EMPTY_FILE');
  if (sizeBytes !== undefined && sizeBytes > maxFileBytes) {
    throw new IntakeError('DOCUMENT_TOO_LARGE');
  }
  return essence;
}

/** The body's bytes; nobody has to trust its declared length. */
export function boundedBody(body: Readable, maxBytes: number): Readable {
  return Readable.from(readUpTo(body, maxBytes), { objectMode: false });
}

async function* readUpTo(body: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  try {
    // Who is refused in the middle still gets an answer, over the same connection.
    for await (const part of body.iterator({ destroyOnReturn: false })) {
      const bytes: Uint8Array = part;
      received += bytes.length;
      if (received > maxBytes) throw new IntakeError('DOCUMENT_TOO_LARGE');
      yield bytes;
    }
  } catch (error) {
    if (error instanceof IntakeError) throw error;
    throw new IntakeError('INVALID_REQUEST', { detail: 'the body was cut short', cause: error });
  }
}
