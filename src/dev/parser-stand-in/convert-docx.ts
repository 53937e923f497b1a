/**
 * DOCX by mammoth to HTML, then Turndown. Word keeps no pages, only where they ended when the file was last
 * laid out: those marks and explicit breaks make pages that are a hint.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import JSZip from 'jszip';
import mammoth from 'mammoth';
import { IntakeError } from '../../domain/errors.ts';
import type { Conversion, Page } from './conversion.ts';
import { htmlToMarkdown } from './html-to-markdown.ts';

const MAIN_PART = 'word/document.xml';
const BREAK_CLASS = 'intake-page-break';

export async function convertDocx(path: string): Promise<Conversion> {
  try {
    const { value: html, messages } = await mammoth.convertToHtml(
      { buffer: await withVisiblePageBreaks(await readFile(path)) },
      {
        externalFileAccess: false,
        styleMap: [`br[type='page'] => hr.${BREAK_CLASS}`],
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      },
    );
    const pages = splitPages(html);
    return {
      pages,
      provenance: {
        engine: 'mammoth+turndown',
        page_numbers: pages.length > 1 ? 'hint' : 'none',
        ocr_pages: [],
        warnings: messages.length,
      },
    };
  } catch (error) {
    throw new IntakeError('FILE_IS_BROKEN', { detail: 'not to be read as DOCX', cause: error });
  }
}

/** mammoth knows only explicit page breaks; the remembered ones are written as such. */
async function withVisiblePageBreaks(file: Buffer): Promise<Buffer> {
  const zip = await JSZip.loadAsync(file);
  const xml = await zip.file(MAIN_PART)?.async('string');
  if (xml === undefined || !xml.includes('<w:lastRenderedPageBreak')) return file;
  zip.file(MAIN_PART, xml.replaceAll(/<w:lastRenderedPageBreak\s*\/>/g, '<w:br w:type="page"/>'));
  return zip.generateAsync({ type: 'nodebuffer' });
}

/** Only a break on a line of its own ends a page: one within a table row would cut the table. */
function splitPages(html: string): Page[] {
  const mark = `page-break-${randomUUID()}`;
  return htmlToMarkdown(html, { className: BREAK_CLASS, mark })
    .split(new RegExp(`^\\s*${mark}\\s*$`, 'm'))
    .map((markdown) => markdown.replaceAll(mark, '').trim())
    .filter((markdown, index) => index === 0 || markdown !== '')
    .map((markdown, index) => ({ page_number: index + 1, success: true, markdown }));
}
