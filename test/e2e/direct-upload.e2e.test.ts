/** A file in the request itself: streamed and never held whole, all of it or nothing. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { noisePdf } from '../support/hostile-pdfs.ts';
import {
  type Accepted,
  type Answer,
  ended,
  exchange,
  type Person,
  reach,
  sha256,
} from '../support/person.ts';
import { expectProblem } from '../support/problem.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';

const MB = 1_000_000;

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
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

interface Sent {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(
  body: Uint8Array | ReadableStream,
  { type = 'application/pdf', headers = {} }: Sent = {},
): Promise<Answer<Accepted>> {
  return exchange<Accepted>(`${stack.url}/v1/documents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${me.token}`, 'content-type': type, ...headers },
    body,
    duplex: 'half',
  });
}

async function accepted(): Promise<number> {
  const { rows } = await database.pool.query('select from intake.documents where owner_id = $1', [
    me.ownerId,
  ]);
  return rows.length;
}

/** Bytes of requests under way lie here. */
async function spooled(): Promise<number> {
  return (await readdir(stack.temporaryFolder)).length;
}

test('20 MB arrive as they are and go their road', async () => {
  const file = Buffer.concat([noisePdf(7), randomBytes(20 * MB)]);
  const { status, body } = await send(file, { headers: { 'x-content-sha256': sha256(file) } });
  expect({ status, body }).toMatchObject({ status: 201, body: { status: 'awaiting_upload' } });
  const end = await ended(me, body.documentId);
  expect(end.error).toMatchObject({ code: 'PDF_IS_BROKEN' });
  const original = await fetch(`${stack.url}/v1/documents/${body.documentId}/original`, {
    headers: { authorization: `Bearer ${me.token}` },
  });
  expect(sha256(await original.bytes())).toBe(sha256(file));
  await untilTrue('nothing is left in between', async () => (await spooled()) === 0);
});

test('a small one completes, and the same again is the same document', async () => {
  const file = Buffer.from('# Plan\n\nThe copayment is 20 dollars.\n');
  const first = await send(file, { type: 'text/markdown' });
  await reach(me, first.body.documentId, 'complete');
  expect(await send(file, { type: 'text/markdown' })).toMatchObject({
    status: 200,
    body: { documentId: first.body.documentId, status: 'complete' },
  });
});

test('many at once do not fill the API’s memory, and cut off in the middle they leave nothing', async () => {
  const size = 40 * MB;
  const before = await accepted();
  const memoryBefore = residentBytes(stack.api.pid);
  const letGo = new AbortController();
  const uploads = Array.from({ length: 4 }, () => unfinished(size, letGo.signal));
  const answers = uploads.map(({ stream }) => send(stream).catch((error: unknown) => error));
  await Promise.all(uploads.map(({ written }) => written));
  expect(await spooled()).toBe(uploads.length);
  const grown = residentBytes(stack.api.pid) - memoryBefore;
  expect(grown, 'bytes in memory').toBeLessThan((uploads.length * size) / 2);
  letGo.abort(new Error('the caller goes away'));
  for (const answer of await Promise.all(answers)) expect(answer).toBeInstanceOf(Error);
  await untilTrue('nothing is left in between', async () => (await spooled()) === 0);
  expect(await accepted()).toBe(before);
});

/** A body of `size` bytes that does not end before `cut` aborts. `written` resolves when all of them were taken. */
function unfinished(size: number, cut: AbortSignal) {
  const { promise: written, resolve } = Promise.withResolvers<void>();
  const block = randomBytes(MB);
  let left = size;
  const stream = new ReadableStream({
    async pull(controller) {
      if (left > 0) {
        left -= block.length;
        return controller.enqueue(block);
      }
      resolve();
      await new Promise((aborted) => cut.addEventListener('abort', aborted));
      controller.error(cut.reason);
    },
  });
  return { stream, written };
}

function residentBytes(pid: number): number {
  const kilobytes =
    process.platform === 'linux'
      ? /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' });
  return 1024 * Number(kilobytes);
}

test.each<[string, Sent & { content?: Uint8Array }, number, string]>([
  ['nothing', { content: new Uint8Array() }, 422, 'EMPTY_FILE'],
  ['a type that nobody reads', { type: 'image/png' }, 415, 'UNSUPPORTED_FILE_TYPE'],
  ['another hash', { headers: { 'x-content-sha256': 'a'.repeat(64) } }, 422, 'CHECKSUM_MISMATCH'],
  ['a hash that is none', { headers: { 'x-content-sha256': 'a' } }, 400, 'INVALID_REQUEST'],
  ['a name that is none', { headers: { 'x-document-name': '%' } }, 400, 'INVALID_REQUEST'],
])('%s', async (_what, { content = noisePdf(1), ...sent }, status, code) => {
  const before = await accepted();
  expectProblem(await send(content, sent), status, code);
  expect(await accepted()).toBe(before);
});

/** A server that refuses early closes on a client that still writes, and the answer may be lost on the way: sent again. */
async function answered<Result>(attempt: () => Promise<Result>): Promise<Result> {
  return await vi.waitFor(attempt, { timeout: 30_000, interval: 200 });
}

test('too much', async () => {
  const before = await accepted();
  expectProblem(await answered(() => send(new Uint8Array(52_428_801))), 413, 'DOCUMENT_TOO_LARGE');
  expect(await accepted()).toBe(before);
});

test('too much without saying so', async () => {
  const before = await accepted();
  const endless = () => {
    let left = 60;
    return new ReadableStream({
      pull: (controller) => {
        left -= 1;
        if (left === 0) controller.close();
        else controller.enqueue(new Uint8Array(MB));
      },
    });
  };
  expectProblem(await answered(() => send(endless())), 413, 'DOCUMENT_TOO_LARGE');
  expect(await accepted()).toBe(before);
});

test('a disk that is full at the store is told at once, and the same upload later succeeds', async () => {
  await stack.faults.storage.add({
    operation: 'object.upload',
    effect: { kind: 'named', name: 'disk-full', value: 10 },
  });
  const file = Buffer.from('# Plan\n\nThe disk was full at first.\n');
  expectProblem(await send(file, { type: 'text/markdown' }), 503, 'SERVICE_UNAVAILABLE');
  const { body } = await send(file, { type: 'text/markdown' });
  await reach(me, body.documentId, 'complete');
});
