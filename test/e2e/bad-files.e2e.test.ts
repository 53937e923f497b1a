/** Bad files on the whole road: each ends in its own code, nothing is half done, and the next good one is read. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { deepTablesDocx, docx, hugeDocx, lyingDocx } from '../support/hostile-archives.ts';
import { noisePdf, protectedPdf, textPdf, truncated } from '../support/hostile-pdfs.ts';
import { ended, type Person, type SomeFile, upload } from '../support/person.ts';
import { type Stack, startStack } from '../support/stack.ts';

const MIB = 1024 * 1024;
const TIMEOUT_MS = 180_000;
const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const HTML = 'text/html';

let database: TestDatabase;
let stack: Stack;
let me: Person;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
  });
  await stack.worker.start();
  me = await stack.person();
}, TIMEOUT_MS);
afterAll(async () => {
  await stack.close();
  await database.close();
});

let made = 0;
/** Read and found as if nothing had been, by the same worker. */
async function expectGoodFileToComplete(workerPid: number): Promise<void> {
  made += 1;
  const content = textPdf([`The copayment of plan ${made} is 20 dollars`]);
  const documentId = await upload(me, { content, type: PDF });
  expect(await ended(me, documentId)).toMatchObject({ status: 'complete', pages: 1 });
  expect(stack.worker.pid).toBe(workerPid);
}

async function expectEnd(file: SomeFile, status: string, codes: readonly string[]): Promise<void> {
  const { pid } = stack.worker;
  const documentId = await upload(me, file);
  const end = await ended(me, documentId);
  expect(end).toMatchObject({ status, error: { message: expect.stringMatching(/\w.*\.$/) } });
  expect(codes).toContain(end.error?.code);
  await expectNothingSearchable(documentId);
  await expectGoodFileToComplete(pid);
}

async function expectNothingSearchable(documentId: string): Promise<void> {
  const { rows } = await database.pool.query(
    `select (select count(*)::int from intake.chunks where document_id = $1) as chunks,
            (select count(*)::int from intake.generations where document_id = $1) as generations`,
    [documentId],
  );
  expect(rows).toEqual([{ chunks: 0, generations: 0 }]);
}

const outOfLimits = ['DOCUMENT_TOO_LARGE', 'TIMEOUT'];

describe('hostile', () => {
  test.each<readonly [string, string, string, readonly string[]]>([
    ['random.pdf', PDF, 'upload_rejected', ['UNSUPPORTED_FILE_TYPE']],
    ['html_as.pdf', PDF, 'upload_rejected', ['TYPE_MISMATCH']],
    ['text_as.docx', DOCX, 'upload_rejected', ['TYPE_MISMATCH']],
    ['bomb_6M_paras.docx', DOCX, 'upload_rejected', ['DOCUMENT_TOO_LARGE']],
    ['deepnest.html', HTML, 'upload_rejected', ['DOCUMENT_TOO_LARGE']],
    ['billionlaughs.docx', DOCX, 'failed_parse', ['FILE_IS_BROKEN']],
    ['xxe.docx', DOCX, 'failed_parse', ['FILE_IS_BROKEN']],
    ['pagetree_bomb_10M.pdf', PDF, 'failed_parse', ['NO_DATA_FOUND_IN_FILE']],
    ['pagetree_loop.pdf', PDF, 'failed_parse', ['PDF_IS_BROKEN']],
    ['flatebomb_2G.pdf', PDF, 'failed_parse', outOfLimits],
    ['pathbomb_2M.pdf', PDF, 'failed_parse', outOfLimits],
    ['xobject_exp.pdf', PDF, 'failed_parse', outOfLimits],
  ])('%s', { timeout: TIMEOUT_MS }, async (name, type, status, codes) => {
    const content = await readFile(new URL(`../fixtures/hostile/${name}`, import.meta.url));
    await expectEnd({ content, type, name }, status, codes);
  });
});

describe('made for this', () => {
  const secret = { userPassword: 'user', ownerPassword: 'owner' };
  const blank = '<w:p><w:r><w:t> </w:t></w:r></w:p>';
  test.each<readonly [string, string, () => string | Uint8Array, string, string]>([
    ['encrypted', PDF, () => protectedPdf(['x'], secret), 'failed_parse', 'PDF_IS_PROTECTED'],
    ['half a PDF', PDF, () => truncated(textPdf(['x']), 50), 'failed_parse', 'PDF_IS_BROKEN'],
    ['noise', PDF, () => noisePdf(1), 'failed_parse', 'PDF_IS_BROKEN'],
    ['blank', PDF, () => textPdf(['']), 'failed_parse', 'NO_DATA_FOUND_IN_FILE'],
    ['blank', DOCX, () => docx(blank), 'failed_parse', 'NO_DATA_FOUND_IN_FILE'],
    ['blank', 'text/plain', () => ' \n \n', 'failed_parse', 'NO_DATA_FOUND_IN_FILE'],
    ['ZIP bomb', DOCX, () => hugeDocx(60 * MIB), 'upload_rejected', 'DOCUMENT_TOO_LARGE'],
    ['lying ZIP bomb', DOCX, () => lyingDocx(60 * MIB), 'upload_rejected', 'DOCUMENT_TOO_LARGE'],
    ['tables in tables', DOCX, () => deepTablesDocx(5_000), 'failed_parse', 'FILE_IS_BROKEN'],
  ])('%s as %s', { timeout: TIMEOUT_MS }, async (_what, type, make, status, code) => {
    await expectEnd({ content: make(), type }, status, [code]);
  });
});

describe('bytes that are not what was announced', () => {
  test.each<readonly [string, Record<string, unknown>, string]>([
    ['another size', { sizeBytes: 10_000 }, 'SIZE_MISMATCH'],
    ['another hash', { sha256: 'a'.repeat(64) }, 'CHECKSUM_MISMATCH'],
    ['another type', { type: 'text/markdown' }, 'TYPE_MISMATCH'],
  ])('%s', async (_what, lie, code) => {
    made += 1;
    const file = { content: textPdf([`Announced wrongly ${made}`]), type: PDF };
    const documentId = await upload(me, file, lie);
    expect(await ended(me, documentId)).toMatchObject({
      status: 'upload_rejected',
      error: { code, turn: 'user' },
    });
    const honest = await upload(me, file);
    expect(await ended(me, honest)).toMatchObject({ status: 'complete' });
  });

  test('nothing at all', async () => {
    const documentId = await upload(me, { content: '' }, { sizeBytes: 5, sha256: 'b'.repeat(64) });
    expect(await ended(me, documentId)).toMatchObject({
      status: 'upload_rejected',
      error: { code: 'EMPTY_FILE' },
    });
  });
});

test('no process was lost: the worker is the one of the beginning', async () => {
  const lines = (await stack.worker.output()).split('\n');
  expect(lines.filter((line) => line.includes('"worker ready"'))).toHaveLength(1);
});
