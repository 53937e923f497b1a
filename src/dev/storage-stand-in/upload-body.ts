/** The two shapes of an upload: a raw body, and the multipart form that supabase-js makes of a Blob. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyRequest } from 'fastify';
import type { ObjectAttributes } from './disk-bucket.ts';
import { refuse } from './refusals.ts';

export interface IncomingFile {
  readonly body: AsyncIterable<Uint8Array>;
  /** As declared, `undefined` for chunked bodies. */
  readonly sizeBytes: number | undefined;
  readonly attributes: ObjectAttributes;
}

export async function readUpload(request: FastifyRequest): Promise<IncomingFile> {
  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  if (contentType.startsWith('multipart/form-data')) return readForm(request, contentType);
  const length = request.headers['content-length'];
  return {
    body: request.raw,
    sizeBytes: length === undefined ? undefined : Number(length),
    attributes: {
      contentType,
      cacheControl: request.headers['cache-control'] ?? 'no-cache',
      userMetadata: decodeMetadata(request.headers['x-metadata']),
    },
  };
}

/** Whole in memory, unlike raw bodies: only browsers send Blobs. */
async function readForm(request: FastifyRequest, contentType: string): Promise<IncomingFile> {
  const stream: ReadableStream = Readable.toWeb(request.raw);
  const form = await new Response(stream, { headers: { 'content-type': contentType } })
    .formData()
    .catch((error: Error) => {
      throw refuse.invalidRequest(error.message);
    });
  const file = Array.from(form.values()).find((value) => typeof value !== 'string');
  if (file === undefined) throw refuse.invalidRequest('No content provided');
  const field = (name: string): string | undefined => {
    const value = form.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const seconds = field('cacheControl');
  return {
    body: file.stream(),
    sizeBytes: file.size,
    attributes: {
      contentType: field('contentType') ?? (file.type || 'application/octet-stream'),
      cacheControl: seconds === undefined ? 'no-cache' : `max-age=${seconds}`,
      userMetadata: parseMetadata(field('metadata')),
    },
  };
}

function decodeMetadata(header: string | string[] | undefined): unknown {
  return typeof header === 'string'
    ? parseMetadata(Buffer.from(header, 'base64').toString('utf8'))
    : null;
}

/** The real server ignores metadata that is not JSON. */
function parseMetadata(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
