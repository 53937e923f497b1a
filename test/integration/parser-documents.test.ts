/**
 * Every document and every hostile file through the adapter and the stand-in: each ends in its class, and the
 * next good document on the same stand-in is read as if nothing had been.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { type ValidatedPages, validatePages } from '../../src/parsing/validate-pages.ts';
import { deepTablesDocx, docx, hugeDocx, lyingDocx } from '../support/hostile-archives.ts';
import { noisePdf, protectedPdf, textPdf, truncated } from '../support/hostile-pdfs.ts';
import {
  requestFor,
  startTestParser,
  type TestParser,
  untilEnded,
} from '../support/parser-stand-in.ts';

const LIMITS = { maxPages: 2_000, maxFailedPagesPercent: 5, maxMarkdownBytes: 52_428_800 };
const MIB = 1024 * 1024;
const TIMEOUT_MS = 120_000;

let test: TestParser;
let folder: string;
beforeAll(async () => {
  test = await startTestParser();
  folder = await mkdtemp(join(tmpdir(), 'intake-documents-'));
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true });
});

/** What the parser's answer amounts to: a whole document, or the code of its failure. */
async function read(path: string): Promise<ValidatedPages | ErrorCode> {
  const { parser } = test;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const { providerJobId } = await parser.submit(await requestFor(path, { firstTry: true, signal }));
  const end = await untilEnded(parser, providerJobId, TIMEOUT_MS);
  if (end.state === 'failed') return end.code;
  const result = await parser.result(providerJobId, { maxBytes: LIMITS.maxMarkdownBytes, signal });
  return validatePages(result.pages, LIMITS);
}

async function readBytes(name: string, content: Uint8Array | string) {
  const path = join(folder, name);
  await writeFile(path, content);
  return read(path);
}

/** Spaces are left out: a font that this machine puts in Helvetica's place may part two letters of a word. */
async function expectGoodDocumentToBeRead(): Promise<void> {
  const word = randomUUID();
  const good = await readBytes('good.pdf', textPdf([word]));
  expect(good).toMatchObject({ pageCount: 1 });
  expect(JSON.stringify(good).replaceAll(' ', '')).toContain(word);
}

describe('documents', () => {
  it.each<readonly [string, number, readonly string[]]>([
    ['annual-report-page.html', 1, ['Galaxy Gaming, Inc.', '| Common stock |', '☑']],
    ['federal-register-three-columns.pdf', 15, ['Proposed Rules', 'Federal Register']],
    [
      'health-coverage-application.pdf',
      14,
      ['Application for Health Coverage', '- [x] renewal_of_coverage_five_years'],
    ],
    ['invoice-borderless-table.pdf', 2, ['SKU-8847', '|---|']],
    ['irs-manual-400-pages.pdf', 400, ['Business Master File']],
    // Pictures of text: read by OCR.
    ['medical-report-scan.pdf', 3, ['COMPREHENSIVE MEDICAL REPORT', 'Lisinopril']],
    ['repair-invoice-multipage.pdf', 3, ['Repair']],
    // The one filled field and the one ticked box are in no page's text.
    ['tax-form-filled.pdf', 2, ['p2-t124[0]: foobar', '- [x] c1_01_0_[0]']],
    ['word-document.docx', 2, ['# Introduction', '| 7 | 8 | 9 |']],
  ])('%s', { timeout: TIMEOUT_MS }, async (name, pageCount, texts) => {
    const document = await read(join('test/fixtures/documents', name));
    expect(document).toMatchObject({ pageCount, failedPages: [] });
    for (const text of texts)
      expect(document).toHaveProperty('markdown', expect.stringContaining(text));
  });

  it('Markdown and text stay as they are', async () => {
    expect(await readBytes('a.md', '# Plan\r\n\r\n| a | b |\r\n|---|---|\r\n')).toMatchObject({
      markdown: '# Plan\n\n| a | b |\n|---|---|',
    });
    expect(await readBytes('a.txt', 'Größe')).toMatchObject({ markdown: 'Größe' });
  });

  it('HTML keeps what a reader sees and nothing else', async () => {
    const html = `<!doctype html><script>secret()</script><style>p{}</style><p style="display: none">unseen</p>
      <a href="javascript:steal()">Click</a> <a href="https://example.org/plan">Plan</a>
      <table><tr><td>a | b</td><td colspan="2">c</td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>`;
    const document = await readBytes('a.html', html);
    expect(document).toMatchObject({
      markdown: [
        'Click [Plan](https://example.org/plan)',
        '',
        '| a \\| b | c |  |',
        '| --- | --- | --- |',
        '| 1 | 2 | 3 |',
      ].join('\n'),
    });
  });

  it('a PDF that only its owner has a password for is read', async () => {
    const pdf = protectedPdf(['Copayment'], { userPassword: '', ownerPassword: 'owner' });
    expect(await readBytes('owner.pdf', pdf)).toMatchObject({
      markdown: expect.stringContaining('Copayment'),
    });
  });

  it('a PDF that lacks its last hundredth is read', async () => {
    const pdf = await readFile('test/fixtures/documents/health-coverage-application.pdf');
    expect(await readBytes('99.pdf', truncated(pdf, 99))).toMatchObject({ pageCount: 14 });
  });
});

describe('hostile files', () => {
  const outOfMemory = ['DOCUMENT_TOO_LARGE', 'TIMEOUT'] as const;

  it.each<readonly [string, readonly ErrorCode[]]>([
    ['billionlaughs.docx', ['FILE_IS_BROKEN']],
    ['bomb_6M_paras.docx', ['DOCUMENT_TOO_LARGE']],
    ['deepnest.html', ['DOCUMENT_TOO_LARGE']],
    ['flatebomb_2G.pdf', outOfMemory],
    ['html_as.pdf', ['UNSUPPORTED_FILE_TYPE']],
    ['pagetree_bomb_10M.pdf', ['NO_DATA_FOUND_IN_FILE']],
    ['pagetree_loop.pdf', ['PDF_IS_BROKEN']],
    ['pathbomb_2M.pdf', outOfMemory],
    ['random.pdf', ['UNSUPPORTED_FILE_TYPE']],
    ['text_as.docx', ['UNSUPPORTED_FILE_TYPE']],
    ['xobject_exp.pdf', outOfMemory],
    ['xxe.docx', ['FILE_IS_BROKEN']],
  ])('%s: %s', { timeout: TIMEOUT_MS }, async (name, codes) => {
    expect(codes).toContain(await read(join('test/fixtures/hostile', name)));
    await expectGoodDocumentToBeRead();
  });

  it('an empty file is refused at the upload', async () => {
    await expect(read('test/fixtures/hostile/zero.pdf')).rejects.toMatchObject({
      code: 'LLAMAPARSE_CLIENT_ERROR',
    });
    await expectGoodDocumentToBeRead();
  });

  const secret = { userPassword: 'user', ownerPassword: 'owner' };
  const threePages = () => textPdf(['One', 'Two', 'Three']);
  it.each<readonly [string, () => Uint8Array | string, ErrorCode]>([
    ['locked.pdf', () => protectedPdf(['Secret'], secret), 'PDF_IS_PROTECTED'],
    ['cut-at-10.pdf', () => truncated(threePages(), 10), 'PDF_IS_BROKEN'],
    ['cut-at-50.pdf', () => truncated(threePages(), 50), 'PDF_IS_BROKEN'],
    ['noise.pdf', () => noisePdf(1), 'PDF_IS_BROKEN'],
    ['blank.pdf', () => textPdf(['']), 'NO_DATA_FOUND_IN_FILE'],
    ['long.pdf', () => textPdf(Array.from({ length: 2_001 }, () => 'x')), 'TOO_MANY_PAGES'],
    ['huge.docx', () => hugeDocx(60 * MIB), 'DOCUMENT_TOO_LARGE'],
    ['lying.docx', () => lyingDocx(60 * MIB), 'DOCUMENT_TOO_LARGE'],
    ['deep-tables.docx', () => deepTablesDocx(5_000), 'FILE_IS_BROKEN'],
    ['empty.docx', () => docx('<w:p/>'), 'NO_DATA_FOUND_IN_FILE'],
    ['cells.html', () => `<html><table>${'<tr><td>1'.repeat(200_000)}`, 'DOCUMENT_TOO_LARGE'],
    ['script.html', () => '<html><script>text()</script>', 'NO_DATA_FOUND_IN_FILE'],
    ['fence.md', () => '```text\n\n```\n', 'NO_DATA_FOUND_IN_FILE'],
    ['noise.txt', () => '\0'.repeat(100), 'UNSUPPORTED_FILE_TYPE'],
  ])('%s', { timeout: TIMEOUT_MS }, async (name, make, code) => {
    expect(await readBytes(name, make())).toBe(code);
    await expectGoodDocumentToBeRead();
  });

  it('an external entity reads no file', async () => {
    const store = await read('test/fixtures/hostile/xxe.docx');
    expect(JSON.stringify(store)).not.toContain('root:');
  });
});
