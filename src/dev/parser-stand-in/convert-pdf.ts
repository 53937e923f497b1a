/**
 * PDF by liteparse. Its silences are made words here: 0 of 0 pages, pages that all failed, pages beyond a
 * cap, pages that are pictures, boxes that are ticked.
 */
import { readFile } from 'node:fs/promises';
import { LiteParse, type LiteParseConfig, type ParsedPage } from '@llamaindex/liteparse';
import { IntakeError } from '../../domain/errors.ts';
import { hasText } from '../../parsing/join-pages.ts';
import type { Conversion, Page, Progress } from './conversion.ts';
import { demoteRunningHeads } from './demote-running-heads.ts';
import { formFieldLines } from './form-fields.ts';
import type { ParseSettings } from './parse-outcome.ts';

/** Running heads are kept: dropping them lost 6 % of the words of some forms. */
const settings = {
  outputFormat: 'markdown',
  imageMode: 'off',
  quiet: true,
  continueOnPageError: true,
  keepHeadersFooters: true,
} as const satisfies Partial<LiteParseConfig>;

/** Headings are judged over the pages parsed together, so one rule for all: whole, or in batches of 50 above 500. */
const WHOLE_UP_TO_PAGES = 500;
const BATCH_PAGES = 50;
const OCR_DPI = 300;
const NO_PAGE = '2147483647';

export async function convertPdf(
  path: string,
  limits: ParseSettings,
  tell: Progress,
): Promise<Conversion> {
  const file = await readFile(path);
  try {
    const total = await countPages(file);
    if (total === 0) throw new IntakeError('NO_DATA_FOUND_IN_FILE', { detail: 'no pages' });
    if (total > limits.maxPages)
      throw new IntakeError('TOO_MANY_PAGES', { detail: `${total} pages` });
    const asked = Math.min(total, limits.pagesAsked);
    tell({ pages: asked, ocrPages: 0 });
    return await convertPages(file, asked, { ...limits, tell });
  } catch (error) {
    if (error instanceof IntakeError) throw error;
    const isProtected = error instanceof Error && /password/i.test(error.message);
    throw new IntakeError(isProtected ? 'PDF_IS_PROTECTED' : 'PDF_IS_BROKEN', { cause: error });
  }
}

/** Asking for a page that no document has reads the page tree and nothing else. */
async function countPages(file: Buffer): Promise<number> {
  const parser = new LiteParse({ ...settings, ocrEnabled: false, targetPages: NO_PAGE });
  return (await parser.parse(file)).totalPages;
}

async function convertPages(
  file: Buffer,
  asked: number,
  { ocrDataFolder, tell }: ParseSettings & { readonly tell: Progress },
): Promise<Conversion> {
  const pages = new Map<number, Page>();
  const pictures: number[] = [];
  const figures: number[] = [];
  for await (const parsed of parsePages(file, asked)) {
    pages.set(parsed.pageNum, toPage(parsed));
    if (isPicture(parsed)) pictures.push(parsed.pageNum);
    else if (isFigureUnderHead(parsed)) figures.push(parsed.pageNum);
  }
  if (pages.size === 0) throw new IntakeError('PDF_IS_BROKEN', { detail: `0 of ${asked} pages` });
  if (figures.length <= MAX_FIGURES) pictures.push(...figures);
  if (ocrDataFolder !== undefined && pictures.length > 0) {
    tell({ pages: asked, ocrPages: pictures.length });
    for (const page of await recognise(file, pictures, ocrDataFolder)) {
      if (hasText(page.markdown)) pages.set(page.pageNum, toPage(page));
    }
  }
  return {
    pages: demoteRunningHeads(
      Array.from({ length: asked }, (_, index) => pages.get(index + 1) ?? unread(index + 1)),
    ),
    provenance: {
      engine: ocrDataFolder === undefined ? 'liteparse' : 'liteparse+tesseract',
      page_numbers: 'exact',
      ocr_pages: ocrDataFolder === undefined ? [] : pictures,
      warnings: asked - pages.size,
    },
  };
}

async function* parsePages(file: Buffer, asked: number): AsyncGenerator<ParsedPage> {
  const parser = new LiteParse({
    ...settings,
    ocrEnabled: false,
    includeComplexity: true,
    extractFormFields: true,
    maxPages: asked,
  });
  if (asked <= WHOLE_UP_TO_PAGES) {
    yield* (await parser.parse(file)).pages;
    return;
  }
  for await (const { result } of parser.parseBatches(file, { batchSize: BATCH_PAGES })) {
    yield* result.pages;
  }
}

/** OCR finds nothing on a page that is truly blank, and that is no fault. */
async function recognise(file: Buffer, pages: readonly number[], tessdataPath: string) {
  const parser = new LiteParse({
    ...settings,
    ocrEnabled: true,
    ocrFailureFatal: false,
    tessdataPath,
    dpi: OCR_DPI,
    extractFormFields: true,
    targetPages: pages.join(','),
  });
  return (await parser.parse(file)).pages;
}

const pictureReasons = new Set(['scanned', 'no-text', 'garbled']);

function isPicture({ markdown, complexity }: ParsedPage): boolean {
  return !hasText(markdown) || Boolean(complexity?.reasons.some((why) => pictureReasons.has(why)));
}

/** Recognised only where they are few, at one to two seconds each: a manual of 400 pages has 82 of them. */
const MAX_FIGURES = 10;
const HEAD_CHARACTERS = 300;

function isFigureUnderHead({ markdown, complexity }: ParsedPage): boolean {
  const isFigure = complexity?.reasons.includes('embedded-images') ?? false;
  return isFigure && markdown.length < HEAD_CHARACTERS;
}

function toPage({ pageNum, markdown, formFields }: ParsedPage): Page {
  const fields = formFieldLines(formFields ?? []);
  const text = hasText(markdown) ? markdown : '';
  const parts = fields.length === 0 ? [text] : [text, '**Form fields**', fields.join('\n')];
  return { page_number: pageNum, success: true, markdown: parts.join('\n\n').trim() };
}

function unread(pageNumber: number): Page {
  return { page_number: pageNumber, success: false, error: 'the page could not be read' };
}
