import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runMainJob, sample, succeeded } from '../../../src/dev/main-job.ts';
import { clientWith, describedDocument } from '../../support/api-client.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-job-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function files(...names: string[]): string[] {
  return names.map((name) => {
    const path = join(folder, name);
    writeFileSync(path, name);
    return path;
  });
}

const silent = { show() {}, end() {}, log() {}, stop() {} };

/** An API where a document's name decides its end. */
const client = clientWith({
  declareUpload: async ({ name }) => ({
    documentId: name,
    status: 'parse_queued',
    statusUrl: `/v1/documents/${name}`,
  }),
  document: async (id) =>
    id.startsWith('bad')
      ? describedDocument({
          status: 'failed_parse',
          error: { code: 'PDF_IS_BROKEN', message: 'The PDF is damaged.', turn: 'user' },
        })
      : describedDocument({ status: 'complete', pages: 2, chunks: 3 }),
});

test('outcomes stand in the order of the files, and one that fails stops no other', async () => {
  const paths = files('1.pdf', 'bad.pdf', '3.exe', '4.pdf', '5.pdf', '6.pdf');
  const outcome = await runMainJob(client, paths, silent);
  expect(outcome.documents.map(({ file }) => file)).toEqual(paths);
  expect(outcome.documents.map(({ status, errorCode }) => errorCode ?? status)).toEqual([
    ...['complete', 'PDF_IS_BROKEN', 'UNSUPPORTED_FILE_TYPE'],
    ...['complete', 'complete', 'complete'],
  ]);
  expect(outcome.documents[0]).toMatchObject({ pages: 2, chunks: 3 });
  expect(succeeded(outcome)).toBe(false);
});

test('the sample is asked about, and no answer is no success', async () => {
  const asked: string[] = [];
  const searching = {
    ...client,
    search: async ({ query }: { query: string }) => {
      asked.push(query);
      return { untrusted: true as const, passages: [] };
    },
  };
  const outcome = await runMainJob(searching, [sample.path], silent);
  expect(asked).toEqual([sample.question]);
  expect(outcome).toMatchObject({ question: sample.question, answer: null });
  expect(succeeded(outcome)).toBe(false);
});

test('files of one’s own alone are not asked about', async () => {
  const outcome = await runMainJob(client, files('1.pdf'), silent);
  expect(outcome).toMatchObject({ question: null, answer: null });
  expect(succeeded(outcome)).toBe(true);
});
