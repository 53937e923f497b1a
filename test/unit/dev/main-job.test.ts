import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { exitCodeOfJob, runMainJob, sample } from '../../../src/dev/main-job.ts';
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
          documentId: id,
          status: 'failed_parse',
          error: { code: 'PDF_IS_BROKEN', message: 'The PDF is damaged.', turn: 'user' },
        })
      : describedDocument({ documentId: id, status: 'complete', pages: 2, chunks: 3 }),
});

test('outcomes stand in the order of the files, and one that fails stops no other', async () => {
  const paths = files('1.pdf', 'bad.pdf', '3.exe', '4.pdf', '5.pdf', '6.pdf');
  const outcome = await runMainJob(client, paths, silent);
  expect(
    outcome.journeys.map(({ document, failure }) => failure?.code ?? document?.status),
  ).toEqual([
    'complete',
    'failed_parse',
    'UNSUPPORTED_FILE_TYPE',
    'complete',
    'complete',
    'complete',
  ]);
  expect(outcome.journeys[0]?.document).toMatchObject({ pages: 2, chunks: 3 });
  expect(exitCodeOfJob(outcome)).toBe(exitCodes.userTurn);
});

test('the sample, and only that, is asked about; no answer is a failure', async () => {
  const asked: unknown[] = [];
  const searching = {
    ...client,
    search: async (request: unknown) => {
      asked.push(request);
      return { untrusted: true as const, passages: [] };
    },
  };
  const outcome = await runMainJob(searching, [...files('1.pdf'), sample.path], silent);
  const documentIds = [outcome.journeys[1]?.documentId];
  expect(asked).toEqual([{ query: sample.question, k: 1, documentIds }]);
  expect(outcome).toMatchObject({ question: sample.question, answer: undefined });
  expect(exitCodeOfJob(outcome)).toBe(exitCodes.failed);
});

test('files of one’s own alone are not asked about', async () => {
  const outcome = await runMainJob(client, files('1.pdf'), silent);
  expect(outcome).toMatchObject({ question: undefined, answer: undefined });
  expect(exitCodeOfJob(outcome)).toBe(exitCodes.done);
});
