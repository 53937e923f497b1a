/**
 * What a file can be by its bytes; its name and its headers are never asked. Bytes that are plain text fit
 * several types, and only there the declared one decides.
 */
import { open } from 'node:fs/promises';
import type { MediaType } from '../domain/media-types.ts';
import { htmlEncoding } from './html-encoding.ts';
import { listZipEntries } from './zip-entries.ts';

const HEAD_BYTES = 4_096;
const PDF_MARK = '%PDF-';
const PDF_MARK_WITHIN_BYTES = 1_024;
const ZIP_MARK = 'PK\u0003\u0004';
const DOCX_PART = 'word/document.xml';
const HTML_START =
  /^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype\s+html|html)\b/i;
const textTypes = ['text/plain', 'text/markdown', 'text/html'] as const satisfies MediaType[];

/** Every type that the file can be; none when it is nothing that Intake accepts. Throws as `listZipEntries` does. */
export async function detectMediaTypes(path: string): Promise<readonly MediaType[]> {
  const head = await readHead(path);
  const bytes = head.toString('latin1');
  if (bytes.startsWith(ZIP_MARK)) {
    const entries = await listZipEntries(path);
    return entries.some(({ name }) => name === DOCX_PART)
      ? ['application/vnd.openxmlformats-officedocument.wordprocessingml.document']
      : [];
  }
  const pdfAt = bytes.slice(0, PDF_MARK_WITHIN_BYTES).indexOf(PDF_MARK);
  if (pdfAt === 0) return ['application/pdf'];
  if (HTML_START.test(new TextDecoder(htmlEncoding(head)).decode(head))) return ['text/html'];
  const pdf: readonly MediaType[] = pdfAt > 0 ? ['application/pdf'] : [];
  return isUtf8Text(head) ? [...pdf, ...textTypes] : pdf;
}

export async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The head may end within a character, which is no fault. */
function isUtf8Text(head: Buffer): boolean {
  if (head.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
