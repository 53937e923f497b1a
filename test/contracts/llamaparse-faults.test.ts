/** What the adapter makes of a vendor that misbehaves: one of our codes, never a second paid job, never silence. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import { createLlamaParseParser } from '../../src/parsing/llamaparse-parser.ts';
import type { ParseRequest, Parser, SubmittedJob } from '../../src/parsing/parser.ts';
import {
  adapterDefaults,
  newParseJobId,
  requestFor,
  startTestParser,
  type TestParser,
  untilEnded,
} from '../support/parser-stand-in.ts';

type Effect = FaultRule['effect'];

const answer = (status: number, body = '', headers = {}): Effect => ({
  kind: 'answer',
  status,
  body,
  headers: { 'content-type': 'application/json', ...headers },
});
const html: Effect = {
  kind: 'answer',
  status: 200,
  body: '<html>maintenance</html>',
  headers: { 'content-type': 'text/html' },
};

/** Faults of the way there and back, on whatever call: what everybody has to expect. */
const transport: readonly (readonly [string, Effect])[] = [
  ['500', answer(500, '{"detail":"oops","correlation_id":"c-1"}')],
  ['503 without a body', answer(503)],
  ['408', answer(408)],
  ['409', answer(409, '{"detail":"conflict"}')],
  ['a page of HTML with 200', html],
  ['JSON of another shape', answer(200, '{"unexpected":true}')],
  ['JSON cut off', answer(200, '{"id":"pjb-')],
  ['a reset', { kind: 'reset-before' }],
  ['silence', { kind: 'hang' }],
];

let folder: string;
let test: TestParser;
let parser: Parser;
let path: string;
const signal = AbortSignal.timeout(120_000);

beforeAll(async () => {
  test = await startTestParser();
  ({ parser, dataFolder: folder } = test);
  path = join(folder, 'note.md');
});
afterEach(() => test.faults.clear());
afterAll(() => test.close());

/** Every time another content, since an equal one would cost nothing. */
async function request(changes: Partial<ParseRequest> = {}): Promise<ParseRequest> {
  await writeFile(path, `# Note ${randomUUID()}\n\nYour copayment is 20 dollars.\n`);
  const content = await readFile(path);
  return requestFor(path, { content: async () => Readable.from(content), ...changes });
}

async function paidJobs(parseJobId: string): Promise<number> {
  const { calls } = await test.faults.ledger();
  const subjects = calls.filter((call) => call.operation === 'parse.paid');
  return subjects.filter((call) => call.subject?.includes(parseJobId)).length;
}

async function completed(changes: Partial<ParseRequest> = {}): Promise<SubmittedJob> {
  const job = await parser.submit(await request(changes));
  await untilEnded(parser, job.providerJobId);
  return job;
}

describe('faults of transport', () => {
  it.each(transport)('%s on any call is a server error that passes', async (_name, effect) => {
    const { url } = test;
    const asked =
      effect.kind === 'hang'
        ? createLlamaParseParser({ ...adapterDefaults, baseUrl: url, timeoutMs: 200 })
        : parser;
    const passing = { code: 'LLAMAPARSE_SERVER_ERROR', retryable: true };
    const { providerJobId } = await completed();
    const fresh = await request();

    await test.faults.add({ operation: 'file.create', effect });
    await expect(asked.submit(fresh)).rejects.toMatchObject(passing);
    await test.faults.add({ operation: 'parse.create', effect });
    await expect(asked.submit(fresh)).rejects.toMatchObject(passing);
    await test.faults.add({ operation: 'parse.list', effect });
    await expect(asked.find(fresh.parseJobId, new Date(0), signal)).rejects.toMatchObject(passing);
    await test.faults.add({ operation: 'parse.get', effect, times: 2 });
    await expect(asked.state(providerJobId, signal)).rejects.toMatchObject(passing);
    await expect(asked.result(providerJobId, { maxBytes: 1e6, signal })).rejects.toMatchObject(
      passing,
    );
    expect(await paidJobs(fresh.parseJobId)).toBe(0);
  });

  it.each(['truncate', 'drop-midway'])(
    'a result body that is cut (%s) is a server error',
    async (name) => {
      const { providerJobId } = await completed();
      await test.faults.add({ operation: 'parse.get', effect: { kind: 'named', name } });
      await expect(parser.result(providerJobId, { maxBytes: 1e6, signal })).rejects.toMatchObject({
        code: 'LLAMAPARSE_SERVER_ERROR',
      });
      expect((await parser.result(providerJobId, { maxBytes: 1e6, signal })).pages).toHaveLength(1);
    },
  );

  it('a create whose answer was lost is found again, and nothing is paid twice', async () => {
    const lost = await request();
    await test.faults.add({ operation: 'parse.create', effect: { kind: 'reset-after' } });
    await expect(parser.submit(lost)).rejects.toMatchObject({ code: 'LLAMAPARSE_SERVER_ERROR' });
    const found = await parser.find(lost.parseJobId, new Date(Date.now() - 60_000), signal);
    expect(found).toMatchObject({ providerFileId: expect.any(String) });
    expect(await untilEnded(parser, found?.providerJobId ?? '')).toEqual({ state: 'completed' });
    expect(await paidJobs(lost.parseJobId)).toBe(1);
  });

  it('an upload whose answer was lost is used by the next try, and can be deleted by our id', async () => {
    const lost = await request();
    await test.faults.add({ operation: 'file.create', effect: { kind: 'reset-after' } });
    await expect(parser.submit(lost)).rejects.toMatchObject({ code: 'LLAMAPARSE_SERVER_ERROR' });
    await test.faults.clearLedger();
    await parser.submit(lost);
    expect((await test.faults.ledger()).counts).not.toHaveProperty(['file.create']);
    await parser.forgetAll(lost.parseJobId, new Date(), signal);
    await expect(parser.submit({ ...lost, firstTry: false })).resolves.toBeDefined();
    expect((await test.faults.ledger()).counts).toHaveProperty(['file.create'], 1);
  });

  it('an upload that the vendor will not delete is not forgotten: the next try deletes it', async () => {
    const job = await completed();
    await test.faults.add({ operation: 'file.delete', effect: answer(409, '{"detail":"busy"}') });
    await expect(parser.forget(job, signal)).rejects.toMatchObject({
      code: 'LLAMAPARSE_SERVER_ERROR',
      retryable: true,
    });
    await expect(parser.forget(job, signal)).resolves.toBeUndefined();
  });
});

describe('refusals', () => {
  const cases: readonly (readonly [number, string, boolean])[] = [
    [400, 'LLAMAPARSE_CLIENT_ERROR', false],
    [401, 'LLAMAPARSE_FORBIDDEN', true],
    [402, 'LLAMAPARSE_CREDITS_EXHAUSTED', true],
    [403, 'LLAMAPARSE_FORBIDDEN', true],
    [404, 'LLAMAPARSE_CLIENT_ERROR', false],
    [413, 'LLAMAPARSE_CLIENT_ERROR', false],
    [422, 'LLAMAPARSE_CLIENT_ERROR', false],
    [429, 'LLAMAPARSE_RATE_LIMIT_ERROR', true],
  ];
  it.each(cases)('%d on create is %s', async (status, code, retryable) => {
    await test.faults.add({ operation: 'parse.create', effect: answer(status, '{"detail":"no"}') });
    await expect(parser.submit(await request())).rejects.toMatchObject({ code, retryable });
  });

  it('keeps the time a 429 names', async () => {
    await test.faults.add({
      operation: 'parse.create',
      effect: answer(429, '{}', { 'retry-after': '7' }),
    });
    await expect(parser.submit(await request())).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it('asks once, whatever the answer: Temporal does the retrying', async () => {
    await test.faults.clearLedger();
    await test.faults.add({ operation: 'parse.create', effect: answer(503), times: 'always' });
    await expect(parser.submit(await request())).rejects.toThrow();
    expect((await test.faults.ledger()).counts).toMatchObject({ 'parse.create': 1 });
  });
});

describe('jobs that end badly', () => {
  const run = async (name: string) => {
    const job = await request();
    await test.faults.add({ operation: 'parse.run', effect: { kind: 'named', name } });
    const { providerJobId } = await parser.submit(job);
    return untilEnded(parser, providerJobId);
  };

  it.each([
    'UNSUPPORTED_FILE_TYPE',
    'PDF_IS_PROTECTED',
    'PDF_IS_BROKEN',
    'NO_DATA_FOUND_IN_FILE',
    'DOCUMENT_TOO_LARGE',
    'TOO_MANY_PAGES',
    'TIMEOUT',
  ])('%s keeps its name', async (code) => {
    expect(await run(`fail:${code}`)).toMatchObject({ state: 'failed', code });
  });

  it('a failure without words, or with words of the document, is one without its text', async () => {
    expect(await run('fail-without-words')).toMatchObject({ code: 'LLAMAPARSE_API_ERROR' });
    const withText = await run('fail-with-text');
    expect(withText).toMatchObject({ state: 'failed', code: 'LLAMAPARSE_API_ERROR' });
    expect(JSON.stringify(withText)).not.toContain('Example');
  });

  it('a job that the vendor cancelled is cancelled', async () => {
    expect(await run('cancel')).toEqual({ state: 'cancelled' });
  });

  it('failed pages come back as such', async () => {
    await test.faults.add({
      operation: 'parse.run',
      effect: { kind: 'named', name: 'fail-pages' },
    });
    const { providerJobId } = await completed();
    const { pages } = await parser.result(providerJobId, { maxBytes: 1e6, signal });
    expect(pages).toEqual([{ pageNumber: 1, success: false, error: expect.any(String) }]);
  });

  it('an expired result has its own code', async () => {
    const { providerJobId } = await completed();
    await test.faults.add({ operation: 'parse.get', effect: { kind: 'named', name: 'expire' } });
    await expect(parser.result(providerJobId, { maxBytes: 1e6, signal })).rejects.toMatchObject({
      code: 'LLAMAPARSE_RESULT_EXPIRED',
    });
  });
});

describe('the vendor’s ways', () => {
  it('a release of tier fast without Markdown is asked for text', async () => {
    const fast = createLlamaParseParser({
      ...adapterDefaults,
      baseUrl: test.url,
      tier: 'fast',
      version: '2025-12-11',
    });
    const { providerJobId } = await fast.submit(await request());
    await untilEnded(fast, providerJobId);
    const { pages } = await fast.result(providerJobId, { maxBytes: 1e6, signal });
    expect(pages).toEqual([
      { pageNumber: 1, success: true, markdown: expect.stringContaining('copayment') },
    ]);
  });

  it('a job is found among more than one page of jobs', async () => {
    const since = new Date();
    const wanted = await parser.submit(await request());
    for (let index = 0; index < 110; index += 1) {
      await parser.submit(await request({ firstTry: true }));
    }
    const { calls } = await test.faults.ledger();
    const ours = calls.findLast((call) => call.subject?.includes(wanted.providerJobId))?.subject;
    const parseJobId = ours?.split(' ')[1] ?? '';
    expect(await parser.find(parseJobId as ParseRequest['parseJobId'], since, signal)).toEqual(
      wanted,
    );
  });

  it('an equal document read within two days costs nothing', async () => {
    const content = await request();
    const equal = { ...content, parseJobId: newParseJobId() };
    const credits: (number | undefined)[] = [];
    for (const each of [content, equal]) {
      const { providerJobId } = await parser.submit(each);
      await untilEnded(parser, providerJobId);
      credits.push((await parser.result(providerJobId, { maxBytes: 1e6, signal })).credits);
    }
    expect(credits).toEqual([3, 0]);
    expect([await paidJobs(content.parseJobId), await paidJobs(equal.parseJobId)]).toEqual([1, 0]);
  });
});
