/**
 * The first line of defence: what a file is and whether opening it could hurt, judged from its bytes
 * before anything is paid. Streams the file; memory and time are bounded by the limits.
 */
import { stat } from 'node:fs/promises';
import { IntakeError } from '../domain/errors.ts';
import type { MediaType } from '../domain/media-types.ts';
import { detectMediaTypes } from './detect-media-type.ts';
import { type HtmlLimits, inspectHtml, inspectUtf8 } from './inspect-text.ts';
import { inspectZip, type ZipLimits } from './inspect-zip.ts';

export interface InspectLimits {
  readonly maxFileBytes: number;
  readonly maxHtmlBytes: number;
  readonly html: HtmlLimits;
  readonly zip: ZipLimits;
}

const MIB = 1024 * 1024;

export const defaultInspectLimits: InspectLimits = {
  maxFileBytes: 50 * MIB,
  maxHtmlBytes: 10 * MIB,
  html: { maxNesting: 500, maxNodes: 500_000 },
  zip: {
    maxUnpackedBytes: 200 * MIB,
    maxPartBytes: 50 * MIB,
    maxRatio: 100,
    ratioFromBytes: 10 * MIB,
  },
};

/**
 * Throws `EMPTY_FILE`, `UNSUPPORTED_FILE_TYPE`, `TYPE_MISMATCH`, `DOCUMENT_TOO_LARGE` or
 * `FILE_IS_BROKEN`. The type that comes back is the declared one, now proven.
 */
export async function inspectFile(
  path: string,
  declared: { readonly mediaType: MediaType },
  limits: InspectLimits = defaultInspectLimits,
): Promise<{ readonly mediaType: MediaType }> {
  const { mediaType } = declared;
  const { size } = await stat(path);
  if (size === 0) throw new IntakeError('EMPTY_FILE');
  const maxBytes = mediaType === 'text/html' ? limits.maxHtmlBytes : limits.maxFileBytes;
  if (size > maxBytes) {
    throw new IntakeError('DOCUMENT_TOO_LARGE', { detail: `${size} bytes, ${maxBytes} allowed` });
  }
  const possible = await detectMediaTypes(path);
  if (possible.length === 0) throw new IntakeError('UNSUPPORTED_FILE_TYPE');
  if (!possible.includes(mediaType)) {
    throw new IntakeError('TYPE_MISMATCH', { detail: `declared ${mediaType}` });
  }
  await inspectContent(path, mediaType, limits);
  return { mediaType };
}

async function inspectContent(path: string, mediaType: MediaType, limits: InspectLimits) {
  switch (mediaType) {
    case 'application/pdf':
      return; // only a parser can judge a PDF, and that is the parser's own killable child
    case 'application/vnd.openxmlformats-officedocument.wordprocessingml.document':
      return inspectZip(path, limits.zip);
    case 'text/html':
      return inspectHtml(path, limits.html);
    case 'text/markdown':
    case 'text/plain':
      return inspectUtf8(path);
  }
}
