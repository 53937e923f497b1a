import { readFile } from 'node:fs/promises';
import { htmlEncoding } from '../../parsing/html-encoding.ts';
import type { Conversion } from './conversion.ts';
import { htmlToMarkdown } from './html-to-markdown.ts';

const HEAD_BYTES = 4_096;

export async function convertHtml(path: string): Promise<Conversion> {
  const bytes = await readFile(path);
  const encoding = htmlEncoding(bytes.subarray(0, HEAD_BYTES));
  const markdown = htmlToMarkdown(decode(bytes, encoding));
  return {
    pages: [{ page_number: 1, success: true, markdown }],
    provenance: { engine: 'turndown', page_numbers: 'none', ocr_pages: [], warnings: 0 },
  };
}

/** Bytes that are not in the encoding they claim are read as a browser reads undeclared ones. */
function decode(bytes: Buffer, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
