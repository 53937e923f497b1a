import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { MediaType } from '../../../src/domain/media-types.ts';
import { defaultInspectLimits, inspectFile } from '../../../src/parsing/inspect-file.ts';
import {
  crowdedDocx,
  deepTablesDocx,
  docx,
  encryptedDocx,
  foreignArchive,
  hugeDocx,
  lyingDocx,
  wanderingDocx,
} from '../../support/hostile-archives.ts';
import { noise, noisePdf, textPdf, truncated } from '../../support/hostile-pdfs.ts';
import { mediaTypeOf } from '../../support/parser-stand-in.ts';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const MIB = 1024 * 1024;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-inspect-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Outcome = ErrorCode | 'accepted';

async function inspect(content: Uint8Array | string, mediaType: MediaType): Promise<Outcome> {
  const path = join(folder, 'file');
  await writeFile(path, content);
  return outcomeOf(path, mediaType);
}

function outcomeOf(path: string, mediaType: MediaType): Promise<Outcome> {
  return inspectFile(path, { mediaType }).then(
    (inspected) => {
      expect(inspected).toEqual({ mediaType });
      return 'accepted';
    },
    (error) => error.code,
  );
}

describe('files of the fixtures', () => {
  it.each<readonly [string, Outcome]>([
    ['documents/annual-report-page.html', 'accepted'],
    ['documents/federal-register-three-columns.pdf', 'accepted'],
    ['documents/health-coverage-application.pdf', 'accepted'],
    ['documents/invoice-borderless-table.pdf', 'accepted'],
    ['documents/irs-manual-400-pages.pdf', 'accepted'],
    ['documents/medical-report-scan.pdf', 'accepted'],
    ['documents/repair-invoice-multipage.pdf', 'accepted'],
    ['documents/tax-form-filled.pdf', 'accepted'],
    ['documents/word-document.docx', 'accepted'],
    ['hostile/zero.pdf', 'EMPTY_FILE'],
    ['hostile/html_as.pdf', 'TYPE_MISMATCH'],
    ['hostile/text_as.docx', 'TYPE_MISMATCH'],
    ['hostile/random.pdf', 'UNSUPPORTED_FILE_TYPE'],
    ['hostile/bomb_6M_paras.docx', 'DOCUMENT_TOO_LARGE'],
    ['hostile/deepnest.html', 'DOCUMENT_TOO_LARGE'],
    // Only a parser can judge these:
    ['hostile/billionlaughs.docx', 'accepted'],
    ['hostile/xxe.docx', 'accepted'],
    ['hostile/flatebomb_2G.pdf', 'accepted'],
    ['hostile/pagetree_bomb_10M.pdf', 'accepted'],
    ['hostile/pagetree_loop.pdf', 'accepted'],
    ['hostile/pathbomb_2M.pdf', 'accepted'],
    ['hostile/xobject_exp.pdf', 'accepted'],
  ])('%s: %s', async (name, outcome) => {
    const path = join('test/fixtures', name);
    expect(await outcomeOf(path, mediaTypeOf(path))).toBe(outcome);
  });
});

describe('type by bytes', () => {
  const pdf = textPdf(['Hello']);
  it.each<readonly [string, Uint8Array | string, MediaType, Outcome]>([
    ['a PDF', pdf, PDF, 'accepted'],
    [
      'a PDF behind up to a kilobyte of something',
      Buffer.concat([Buffer.alloc(900), pdf]),
      PDF,
      'accepted',
    ],
    [
      'a PDF behind more than that',
      Buffer.concat([Buffer.alloc(2_000), pdf]),
      PDF,
      'UNSUPPORTED_FILE_TYPE',
    ],
    ['a PDF called DOCX', pdf, DOCX, 'TYPE_MISMATCH'],
    ['a PDF called text', pdf, 'text/plain', 'TYPE_MISMATCH'],
    ['text that speaks of PDFs', '# How %PDF- begins\n', 'text/markdown', 'accepted'],
    ['noise called text', noise(1, 5_000), 'text/plain', 'UNSUPPORTED_FILE_TYPE'],
    ['text', 'Hello', 'text/plain', 'accepted'],
    ['the same text as Markdown', 'Hello', 'text/markdown', 'accepted'],
    ['the same text as HTML', 'Hello', 'text/html', 'accepted'],
    ['text with a byte order mark', '\uFEFFHello', 'text/plain', 'accepted'],
    ['HTML called text', '<!DOCTYPE html><p>Hi', 'text/plain', 'TYPE_MISMATCH'],
    ['HTML behind a comment', '<!-- made by a tool -->\n<html><p>Hi', 'text/html', 'accepted'],
    ['HTML in UTF-16', Buffer.from('\uFEFF<html><p>Hi', 'utf16le'), 'text/html', 'accepted'],
    [
      'HTML in Latin 1',
      Buffer.from('<html><meta charset="latin1"><p>Größe', 'latin1'),
      'text/html',
      'accepted',
    ],
    ['text in Latin 1', Buffer.from('Größe', 'latin1'), 'text/plain', 'UNSUPPORTED_FILE_TYPE'],
    [
      'text in UTF-16',
      Buffer.from('\uFEFFHello', 'utf16le'),
      'text/plain',
      'UNSUPPORTED_FILE_TYPE',
    ],
    ['text with NUL far behind', `${'x'.repeat(100_000)}\0`, 'text/plain', 'UNSUPPORTED_FILE_TYPE'],
    [
      'text broken far behind',
      Buffer.concat([Buffer.alloc(100_000, 'x'), Buffer.from([0xff])]),
      'text/markdown',
      'UNSUPPORTED_FILE_TYPE',
    ],
    [
      'text cut within a character',
      Buffer.from('Größe').subarray(0, 3),
      'text/plain',
      'UNSUPPORTED_FILE_TYPE',
    ],
    ['one character over two chunks', `${'x'.repeat(65_535)}ö`, 'text/plain', 'accepted'],
    ['a PDF header before noise', noisePdf(2), PDF, 'accepted'],
  ])('%s', async (_name, content, mediaType, outcome) => {
    expect(await inspect(content, mediaType)).toBe(outcome);
  });
});

describe('archives', () => {
  it.each<readonly [string, () => Buffer, Outcome]>([
    ['a plain DOCX', () => docx(), 'accepted'],
    ['deep tables, which only a parser sees', () => deepTablesDocx(5_000), 'accepted'],
    ['one that says it is too large', () => hugeDocx(60 * MIB), 'DOCUMENT_TOO_LARGE'],
    ['one that unpacks beyond its ratio', () => hugeDocx(20 * MIB), 'DOCUMENT_TOO_LARGE'],
    ['one whose claimed size lies', () => lyingDocx(60 * MIB), 'DOCUMENT_TOO_LARGE'],
    ['a small one whose claimed size lies', () => lyingDocx(2_000), 'FILE_IS_BROKEN'],
    ['one of too many entries', () => crowdedDocx(5_000), 'DOCUMENT_TOO_LARGE'],
    ['one with an encrypted entry', encryptedDocx, 'FILE_IS_BROKEN'],
    ['one with an entry that points elsewhere', wanderingDocx, 'FILE_IS_BROKEN'],
    ['half a DOCX', () => truncated(docx(), 50), 'FILE_IS_BROKEN'],
  ])('%s', async (_name, make, outcome) => {
    expect(await inspect(make(), DOCX)).toBe(outcome);
  });

  it('another archive is no DOCX', async () => {
    expect(await inspect(foreignArchive(), DOCX)).toBe('UNSUPPORTED_FILE_TYPE');
  });
});

describe('HTML', () => {
  it.each<readonly [string, string, Outcome]>([
    ['a page with many paragraphs that are never closed', '<p>text'.repeat(50_000), 'accepted'],
    [
      'elements without end tags that are not nested',
      '<br><img src=x><hr>'.repeat(5_000),
      'accepted',
    ],
    ['501 nested elements', '<div>'.repeat(501), 'DOCUMENT_TOO_LARGE'],
    ['500 nested elements', `${'<div>'.repeat(499)}<p>x`, 'accepted'],
    [
      'half a million cells',
      `<table>${'<tr><td>1</td></tr>'.repeat(170_000)}`,
      'DOCUMENT_TOO_LARGE',
    ],
    [
      'as many attributes',
      `<p ${Array.from({ length: 500_001 }, (_, n) => `a${n}`).join(' ')}>`,
      'DOCUMENT_TOO_LARGE',
    ],
    ['a tag that never ends', `<div title="${'x'.repeat(5_000_000)}`, 'accepted'],
  ])('%s', async (_name, body, outcome) => {
    expect(await inspect(`<!doctype html>${body}`, 'text/html')).toBe(outcome);
  });
});

it('looks at the size before anything else', async () => {
  const path = join(folder, 'large');
  await writeFile(path, textPdf(['Hello']));
  const limits = { ...defaultInspectLimits, maxFileBytes: 100 };
  await expect(inspectFile(path, { mediaType: PDF }, limits)).rejects.toMatchObject({
    code: 'DOCUMENT_TOO_LARGE',
  });
});
