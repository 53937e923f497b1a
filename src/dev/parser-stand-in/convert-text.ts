import { readFile } from 'node:fs/promises';
import type { Conversion } from './conversion.ts';

/** Markdown and plain text as they are, in one page. The file is known to be UTF-8. */
export async function convertText(path: string): Promise<Conversion> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  return {
    pages: [{ page_number: 1, success: true, markdown: text.replace(/\r\n?/g, '\n') }],
    provenance: { engine: 'as-is', page_numbers: 'none', ocr_pages: [], warnings: 0 },
  };
}
