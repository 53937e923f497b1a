/** Streams a body and holds it against its stated size and the caller's cap. */
import { Readable } from 'node:stream';
import { IntakeError } from '../domain/errors.ts';

export interface BodyLimits {
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly callerSignal: AbortSignal | undefined;
}

export function readBody(body: AsyncIterable<Uint8Array>, limits: BodyLimits): Readable {
  return Readable.from(checkedChunks(body, limits), { objectMode: false });
}

async function* checkedChunks(
  body: AsyncIterable<Uint8Array>,
  { sizeBytes, maxBytes, callerSignal }: BodyLimits,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  try {
    for await (const chunk of body) {
      received += chunk.byteLength;
      if (received > maxBytes) throw new IntakeError('DOCUMENT_TOO_LARGE');
      yield chunk;
    }
  } catch (error) {
    if (callerSignal?.aborted) throw callerSignal.reason;
    if (error instanceof IntakeError) throw error;
    throw cutShort(received, sizeBytes, error);
  }
  if (received !== sizeBytes) throw cutShort(received, sizeBytes);
}

function cutShort(received: number, sizeBytes: number, cause?: unknown): IntakeError {
  return new IntakeError('STORAGE_UNAVAILABLE', {
    detail: `body ended after ${received} of ${sizeBytes} bytes`,
    cause,
  });
}
