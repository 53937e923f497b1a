/**
 * The port `Parser`: the same cases for the stand-in and, where INTAKE_TEST_LLAMA_CLOUD_API_KEY is set, for
 * LlamaParse itself (costs a few credits). What only the stand-in can be told to do: llamaparse-faults.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLlamaParseParser } from '../../src/parsing/llamaparse-parser.ts';
import type { Parser } from '../../src/parsing/parser.ts';
import {
  adapterDefaults,
  newParseJobId,
  requestFor,
  startTestParser,
  untilEnded,
} from '../support/parser-stand-in.ts';

const realKey = process.env['INTAKE_TEST_LLAMA_CLOUD_API_KEY'];
const DOCUMENT = 'test/fixtures/documents/invoice-borderless-table.pdf';
const PAGES = 2;
const UNKNOWN_JOB = 'pjb-00000000-0000-4000-8000-00000000dead';

interface Subject {
  readonly parser: Parser;
  readonly withKey: (apiKey: string) => Parser;
  readonly of: (installations: readonly [string, ...string[]]) => Parser;
  readonly close: () => Promise<void>;
}

const subjects: readonly (readonly [string, () => Promise<Subject>])[] = [
  [
    'the stand-in',
    async () => {
      const { parser, url, close } = await startTestParser();
      return {
        parser,
        withKey: (apiKey) => createLlamaParseParser({ ...adapterDefaults, baseUrl: url, apiKey }),
        of: (installations) =>
          createLlamaParseParser({ ...adapterDefaults, baseUrl: url, installations }),
        close,
      };
    },
  ],
  ...(realKey === undefined ? [] : [['LlamaParse', async () => realSubject(realKey)] as const]),
];

function realSubject(apiKey: string): Subject {
  const baseUrl =
    process.env['INTAKE_TEST_LLAMA_CLOUD_BASE_URL'] ?? 'https://api.cloud.llamaindex.ai';
  const withKey = (key: string) =>
    createLlamaParseParser({ ...adapterDefaults, baseUrl, apiKey: key });
  const of: Subject['of'] = (installations) =>
    createLlamaParseParser({ ...adapterDefaults, baseUrl, apiKey, installations });
  return { parser: withKey(apiKey), withKey, of, close: async () => undefined };
}

describe.each(subjects)('parser contract: %s', (_name, start) => {
  let subject: Subject;
  let parser: Parser;
  const signal = AbortSignal.timeout(300_000);

  beforeAll(async () => {
    subject = await start();
    parser = subject.parser;
  });
  afterAll(() => subject.close());

  it('reads a document page by page, and afterwards nothing of it is left', async () => {
    const job = await parser.submit(await requestFor(DOCUMENT, { firstTry: true }));
    expect(await untilEnded(parser, job.providerJobId)).toEqual({ state: 'completed' });

    const { pages, credits } = await parser.result(job.providerJobId, { maxBytes: 1e6, signal });
    expect(pages.map(({ pageNumber, success }) => [pageNumber, success])).toEqual(
      Array.from({ length: PAGES }, (_, index) => [index + 1, true]),
    );
    expect(pages[0]).toMatchObject({ markdown: expect.stringContaining('SKU-8847') });
    expect(credits ?? 0).toBeGreaterThanOrEqual(0);

    await parser.forget(job, signal);
    await parser.forget(job, signal);
    await expect(parser.state(job.providerJobId, signal)).rejects.toMatchObject({
      code: 'LLAMAPARSE_RESULT_EXPIRED',
    });
  });

  it('finds the job and the upload of an earlier try by our id', async () => {
    const since = new Date(Date.now() - 60_000);
    const request = await requestFor(DOCUMENT);
    expect(await parser.find(request.parseJobId, since, signal)).toBeUndefined();
    const job = await parser.submit(request);
    expect(await parser.find(request.parseJobId, since, signal)).toEqual(job);
    expect(await parser.find(newParseJobId(), since, signal)).toBeUndefined();

    const again = await parser.submit(request);
    expect(again.providerFileId).toBe(job.providerFileId);
    expect(again.providerJobId).not.toBe(job.providerJobId);

    await parser.forgetAll(request.parseJobId, since, signal);
    expect(await parser.find(request.parseJobId, since, signal)).toBeUndefined();
    for (const { providerJobId } of [job, again]) {
      await expect(parser.state(providerJobId, signal)).rejects.toMatchObject({
        code: 'LLAMAPARSE_RESULT_EXPIRED',
      });
    }
  });

  it('knows its own jobs by the mark of this installation', async () => {
    const since = new Date(Date.now() - 60_000);
    const request = await requestFor(DOCUMENT);
    const job = await parser.submit(request);
    const ids = async (of: Parser) =>
      (await Array.fromAsync(of.ownJobs(since, signal))).map(({ providerJobId }) => providerJobId);
    expect(await ids(parser)).toContain(job.providerJobId);
    expect(await ids(subject.of(['another']))).not.toContain(job.providerJobId);
    expect(await ids(subject.of(['newer', 'these-tests'])), 'during rotation').toContain(
      job.providerJobId,
    );
    await parser.forget(job, signal);
  });

  it('forgets a job that still runs', async () => {
    const job = await parser.submit(
      await requestFor('test/fixtures/documents/medical-report-scan.pdf'),
    );
    await parser.forget(job, signal);
    await expect(parser.state(job.providerJobId, signal)).rejects.toMatchObject({
      code: 'LLAMAPARSE_RESULT_EXPIRED',
    });
  });

  it('gives a result over the cap up instead of holding it', async () => {
    const job = await parser.submit(await requestFor(DOCUMENT));
    await untilEnded(parser, job.providerJobId);
    await expect(parser.result(job.providerJobId, { maxBytes: 100, signal })).rejects.toMatchObject(
      { code: 'DOCUMENT_TOO_LARGE' },
    );
    await parser.forget(job, signal);
  });

  it('calls a refused key what it is', async () => {
    await expect(
      subject.withKey('llx-of-nobody').submit(await requestFor(DOCUMENT)),
    ).rejects.toMatchObject({ code: 'LLAMAPARSE_FORBIDDEN', retryable: true });
  });

  it('names the failure of a file that is no PDF', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'intake-contract-'));
    const path = join(folder, 'broken.pdf');
    await writeFile(path, '%PDF-1.7\nnothing of a PDF follows');
    const job = await parser.submit(await requestFor(path));
    expect(await untilEnded(parser, job.providerJobId)).toMatchObject({
      state: 'failed',
      code: 'PDF_IS_BROKEN',
    });
    await parser.forget(job, signal);
    await rm(folder, { recursive: true });
  });

  it('rejects with the abort reason of a caller who gave up', async () => {
    const reason = new Error('gave up');
    await expect(parser.state(UNKNOWN_JOB, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
