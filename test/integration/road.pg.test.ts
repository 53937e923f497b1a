/** The road as its users meet it: every race of the design, on real parts, with the vendors' faults scripted. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildReconciliation } from '../../src/dependencies.ts';
import {
  type DocumentId,
  eraseWorkflowId,
  ingestWorkflowId,
  type ParseJobId,
} from '../../src/domain/ids.ts';
import { closings, statuses, type TerminalStatus } from '../../src/domain/ingestion.ts';
import { eventually } from '../support/eventually.ts';
import {
  declare,
  type Person,
  put,
  type Road,
  reach,
  reset,
  startRoad,
  upload,
} from '../support/road.ts';

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad();
  me = await road.person();
  await road.startWorker();
});
afterEach(async () => {
  await Promise.all(Object.values(road.faults).map((faults) => faults.clear()));
});
afterAll(() => road.close());

let made = 0;
/** Markdown that no other test has. */
function policy(): { readonly content: string; readonly word: string } {
  made += 1;
  const word = `zephyrine${made}`;
  return {
    word,
    content: `# Policy ${made}\n\nThe copayment for a visit is ${made} dollars.\n\n## Dental\n\nThe ${word} plan covers dental care.\n`,
  };
}

/** Markdown of so many chunks at least. */
function manyParts(length: number): string {
  made += 1;
  const part = (n: number) =>
    `# Part ${n} of ${made}\n\n${`The clause ${n} of ${made} says something. `.repeat(20)}\n`;
  return Array.from({ length }, (_, n) => part(n)).join('\n');
}

const runOf = (documentId: string) =>
  road.temporal.client.workflow.getHandle(ingestWorkflowId(documentId as DocumentId));
const closed = (documentId: string) =>
  eventually(async () =>
    expect((await runOf(documentId).describe()).status.name).not.toBe('RUNNING'),
  );
const paid = async () => (await road.faults.parser.ledger()).counts['parse.paid'] ?? 0;
/** A second job of the same file may be free, as a vendor's cache has it: what was asked for counts. */
const askedFor = async () => (await road.faults.parser.ledger()).counts['parse.create'] ?? 0;
const jobs = async (documentId: string) =>
  (
    await road.database.pool.query('select state from intake.parse_jobs where document_id = $1', [
      documentId,
    ])
  ).rows;

/** Every sub-batch that the embedder was asked for, with the hashes of its inputs. */
const askedOfEmbedder = async () =>
  (await road.faults.embedding.ledger()).calls
    .filter(({ operation }) => operation === 'embeddings.create')
    .map(({ subject, status }) => ({ status, inputs: subject?.split(',') ?? [] }));
/** The parser as an operator with our credentials sees it. */
const vendor = () => buildReconciliation(road.shared).parser;
const soon = () => AbortSignal.timeout(30_000);

describe('the main road', () => {
  test('a document passes every status in order, is paid once and found', async () => {
    const { content, word } = policy();
    const before = await paid();
    const documentId = await upload(me, { content });
    const detail = await reach(me, documentId, 'complete');
    const line = detail.timeline
      .filter((event) => event.kind === 'status')
      .map((event) => event.status);
    expect(line).toEqual(statuses.slice(0, statuses.indexOf('complete') + 1));
    expect(detail).toMatchObject({ pages: 1, searchable: true, progressPercent: 100 });
    expect(await paid()).toBe(before + 1);
    const { passages } = await me.api.search({ query: `which plan is ${word}?` });
    expect(passages[0]).toMatchObject({
      documentId,
      pageFrom: 1,
      headingPath: [expect.stringContaining('Policy')],
    });
    expect((await runOf(documentId).describe()).status.name).toBe('COMPLETED');
    const { events } = await runOf(documentId).fetchHistory();
    const scheduled = events?.map(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
    );
    expect(scheduled, 'the webhook came').not.toContain('pollParse');
  });

  test('the same bytes again answer at once and cost nothing', async () => {
    const { content } = policy();
    const documentId = await upload(me, { content });
    await reach(me, documentId, 'complete');
    const before = await paid();
    const again = await declare(me, { content, name: 'another-name.md' });
    expect(again).toMatchObject({ documentId, status: 'complete' });
    expect(again.uploadUrl).toBeUndefined();
    expect(await paid()).toBe(before);
  });

  test.each([
    [
      'word-document.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['annual-report-page.html', 'text/html'],
    ['invoice-borderless-table.pdf', 'application/pdf'],
  ])('%s takes the road too', async (name, type) => {
    const content = await readFile(new URL(`../fixtures/documents/${name}`, import.meta.url));
    const documentId = await upload(me, { content, name, type });
    const detail = await reach(me, documentId, 'complete');
    expect(detail.chunks).toBeGreaterThan(0);
    const original = await fetch(`${road.url}/v1/documents/${documentId}/original`, {
      headers: { authorization: `Bearer ${me.token}` },
    });
    expect(Buffer.from(await original.arrayBuffer()).equals(content)).toBe(true);
  });
});

describe('bytes', () => {
  // A worker of its own for each: five failures within a minute open the breaker for the tests behind.
  beforeEach(async () => {
    await road.stopWorker();
    await road.startWorker();
  });

  test('late bytes: a look that finds nothing goes back to the wait', async () => {
    const { content } = policy();
    const declared = await declare(me, { content });
    expect((await me.api.document(declared.documentId)).confirmedAt).toBeUndefined();
    await me.api.confirmUpload(declared.documentId);
    await vi.waitFor(
      async () => {
        const { waiting, confirmedAt } = await me.api.document(declared.documentId);
        expect(confirmedAt).toBeDefined();
        expect(waiting).toMatchObject({ code: 'STORAGE_OBJECT_ABSENT', turn: 'user' });
        expect(waiting?.nextTryAt).toBeUndefined(); // the last of the four tries is over
      },
      { timeout: 30_000 },
    );
    await put(declared.uploadUrl, { content });
    await me.api.confirmUpload(declared.documentId);
    await reach(me, declared.documentId as DocumentId, 'complete');
  });

  test.each([
    ['forbidden', { kind: 'named', name: 'forbid-as-missing' }, 'STORAGE_FORBIDDEN'],
    ['down', { kind: 'answer', status: 503, body: '<html>no</html>' }, 'STORAGE_UNAVAILABLE'],
  ] as const)(
    'storage %s: the document waits, and nobody is asked to upload again',
    async (_name, effect, code) => {
      const { content } = policy();
      const declared = await declare(me, { content });
      await put(declared.uploadUrl, { content });
      const operations = ['object.read', 'object.copy', 'bucket.read'];
      await road.faults.storage.add(
        ...operations.map((operation) => ({ operation, times: 'always' as const, effect })),
      );
      await me.api.confirmUpload(declared.documentId);
      await vi.waitFor(
        async () => {
          const { waiting, status } = await me.api.document(declared.documentId);
          expect(status).toBe('awaiting_upload');
          expect(waiting).toMatchObject({ code, turn: 'us' });
        },
        { timeout: 10_000 },
      );
      await road.faults.storage.clear();
      await reach(me, declared.documentId as DocumentId, 'complete');
    },
  );

  test('bytes that are not what was declared are rejected at once, and the right ones are a new attempt', async () => {
    const { content } = policy();
    const declared = await declare(me, { content });
    await put(declared.uploadUrl, { content: content.replace('copayment', 'copaymenT') });
    await me.api.confirmUpload(declared.documentId);
    const rejected = await reach(me, declared.documentId as DocumentId, 'upload_rejected');
    expect(rejected.error).toMatchObject({ code: 'CHECKSUM_MISMATCH', turn: 'user' });
    const documentId = await upload(me, { content });
    expect(documentId).toBe(declared.documentId);
    expect((await reach(me, documentId, 'complete')).attempts).toHaveLength(2);
  });

  test('a refusal is remembered when storage fails before it could be told', async () => {
    const { content } = policy();
    const first = await declare(me, { content });
    const second = await declare(me, { content });
    await put(second.uploadUrl, { content: 'something else' });
    const subject = new URL(first.uploadUrl ?? '').pathname.split('/files/')[1] ?? '';
    await road.faults.storage.add({
      operation: 'object.copy',
      subject,
      effect: { kind: 'answer', status: 503 },
    });
    await me.api.confirmUpload(first.documentId);
    const rejected = await reach(me, first.documentId as DocumentId, 'upload_rejected');
    expect(rejected.error).toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(rejected.timeline.map((event) => event.code)).toContain('STORAGE_UNAVAILABLE');
  });

  test('wrong bytes under the newest URL do not hide the right ones, whose copy has a key of its own', async () => {
    const { content } = policy();
    const first = await declare(me, { content });
    const second = await declare(me, { content });
    await put(first.uploadUrl, { content });
    await put(second.uploadUrl, { content: 'something else' });
    await me.api.confirmUpload(first.documentId);
    await reach(me, first.documentId as DocumentId, 'complete');
    const { rows } = await road.database.pool.query(
      `select o.removed_at is null as kept, v.original_key = o.key as verified
       from intake.objects o join intake.versions v using (document_id)
       where o.document_id = $1 and o.kind = 'original' order by o.created_at`,
      [first.documentId],
    );
    expect(rows).toEqual([
      { kept: false, verified: false },
      { kept: true, verified: true },
    ]);
  });

  test('an upload URL used again after verification changes nothing and leaves nothing', async () => {
    const { content } = policy();
    const declared = await declare(me, { content });
    await put(declared.uploadUrl, { content });
    await me.api.confirmUpload(declared.documentId);
    await reach(me, declared.documentId as DocumentId, 'complete');
    await put(declared.uploadUrl, { content: 'something else' });
    const markdown = await fetch(`${road.url}/v1/documents/${declared.documentId}/original`, {
      headers: { authorization: `Bearer ${me.token}` },
    });
    expect(await markdown.text()).toBe(content);
    const { rows } = await road.database.pool.query<{ key: string }>(
      `update intake.objects set url_expires_at = now() where document_id = $1 and kind = 'upload' returning key`,
      [declared.documentId],
    );
    const [key = ''] = rows.map((row) => row.key);
    const left = () => road.shared.objectStore.list(key.slice(0, key.lastIndexOf('/') + 1));
    await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 30_000 });
  });
});

describe('the parser', () => {
  test('a lost webhook: the poll finds the result', async () => {
    await road.faults.parser.add({
      operation: 'webhook.deliver',
      times: 'always',
      effect: { kind: 'named', name: 'lose' },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
  });

  test('a doubled webhook is signalled once', async () => {
    await road.faults.parser.add({
      operation: 'webhook.deliver',
      times: 'always',
      effect: { kind: 'named', name: 'double' },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
    const { rows } = await road.database.pool.query(
      `select w.times_received from intake.webhook_deliveries w join intake.parse_jobs j on j.id = w.parse_job_id where j.document_id = $1`,
      [documentId],
    );
    expect(rows).toHaveLength(1);
    const { events } = await runOf(documentId).fetchHistory();
    const signals = events?.filter(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'parseEvent',
    );
    expect(signals).toHaveLength(1);
  });

  test('a webhook that overtakes the answer of its submit', async () => {
    await road.faults.parser.add({
      operation: 'parse.create',
      effect: { kind: 'named', name: 'early-webhook' },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
  });

  test('a submit whose answer was lost is adopted and not paid again', async () => {
    const before = await askedFor();
    await road.faults.parser.add({ operation: 'parse.create', effect: { kind: 'reset-after' } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
    expect(await askedFor()).toBe(before + 1);
    expect(await jobs(documentId)).toEqual([{ state: 'completed' }]);
  });

  test('429, 5xx and garbage are waited out', async () => {
    await road.faults.parser.add(
      {
        operation: 'file.create',
        effect: { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
      },
      { operation: 'parse.create', effect: { kind: 'answer', status: 502, body: '<html>' } },
      { operation: 'parse.get', effect: { kind: 'answer', status: 200, body: '<html>' } },
    );
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
  });

  test('a file the parser refuses fails by name; retry pays for a new job', async () => {
    await road.faults.parser.add({
      operation: 'parse.run',
      effect: { kind: 'named', name: 'fail-without-words' },
    });
    const documentId = await upload(me, policy());
    const failed = await reach(me, documentId, 'failed_parse');
    expect(failed.error).toMatchObject({ code: 'LLAMAPARSE_API_ERROR' });
    await closed(documentId);
    await me.api.retry(documentId);
    expect((await reach(me, documentId, 'complete')).attempts).toHaveLength(2);
    expect(await jobs(documentId)).toHaveLength(2);
  });
});

describe('a retry', () => {
  test('after a cancel in mid-embedding starts from the stored Markdown and pays nothing', async () => {
    const { content, word } = policy();
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'delay', ms: 1_500 },
    });
    const documentId = await upload(me, { content });
    await reach(me, documentId, 'embedding_in_progress');
    await me.api.cancel(documentId);
    await closed(documentId);
    const before = await paid();
    await me.api.retry(documentId);
    const detail = await reach(me, documentId, 'complete');
    const again = detail.timeline.find((event) => event.attempt === 2 && event.kind === 'status');
    expect(again?.status).toBe('parse_queued');
    expect(await paid()).toBe(before);
    const { passages } = await me.api.search({ query: word });
    expect(passages[0]?.documentId).toBe(documentId);
  });

  test('whose stored Markdown is gone has the document parsed again', async () => {
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'delay', ms: 1_500 },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'embedding_in_progress');
    await me.api.cancel(documentId);
    await closed(documentId);
    const { rows } = await road.database.pool.query<{ key: string }>(
      `select key from intake.objects where document_id = $1 and kind = 'parsed'`,
      [documentId],
    );
    await road.shared.objectStore.remove(rows.map((row) => row.key));
    await me.api.retry(documentId);
    await reach(me, documentId, 'complete');
    expect(await jobs(documentId)).toHaveLength(2);
  });

  test('whose stored Markdown is gone does not adopt the job that the vendor lost meanwhile', async () => {
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'delay', ms: 1_500 },
    });
    // What the vendor was told to forget was not forgotten then, as far as we know.
    await road.faults.parser.add({
      operation: 'parse.delete',
      effect: { kind: 'answer', status: 500 },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'embedding_in_progress');
    await me.api.cancel(documentId);
    await closed(documentId);
    const { rows } = await road.database.pool.query<{ id: string; key: string }>(
      `select j.provider_job_id as id, v.markdown_key as key
       from intake.parse_jobs j join intake.versions v on v.id = j.version_id where j.document_id = $1`,
      [documentId],
    );
    const [lost = { id: '', key: '' }] = rows;
    await vendor().forget({ providerJobId: lost.id, providerFileId: undefined }, soon());
    await road.shared.objectStore.remove([lost.key]);
    await me.api.retry(documentId);
    await reach(me, documentId, 'complete');
    expect((await jobs(documentId)).map(({ state }) => state).sort()).toEqual([
      'completed',
      'expired',
    ]);
  });

  test('after chunker or model were changed chunks anew before it embeds', async () => {
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'answer', status: 400, body: '{}' },
    });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'failed_embedding');
    await closed(documentId);
    await road.database.pool.query('delete from intake.generations where document_id = $1', [
      documentId,
    ]);
    await me.api.retry(documentId);
    await reach(me, documentId, 'complete');
    expect(await jobs(documentId)).toHaveLength(1);
  });
});

describe('the embedder', () => {
  test('a refusal fails the document; retry starts there and pays nothing again', async () => {
    const before = await paid();
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'answer', status: 400, body: '{"error":{"message":"no"}}' },
    });
    const documentId = await upload(me, policy());
    const failed = await reach(me, documentId, 'failed_embedding');
    expect(failed.error).toMatchObject({ code: 'EMBEDDER_REJECTED' });
    await me.api.retry(documentId);
    const detail = await reach(me, documentId, 'complete');
    expect(
      detail.timeline.find((event) => event.attempt === 2 && event.kind === 'status')?.status,
    ).toBe('chunks_stored');
    expect(await paid()).toBe(before + 1);
  });

  test('every third call a 429: all sub-batches arrive, none is asked for twice once answered', async () => {
    await road.faults.embedding.add(
      ...[1, 3, 5].map((skip) => ({
        operation: 'embeddings.create',
        skip,
        effect: { kind: 'answer' as const, status: 429, headers: { 'retry-after': '1' } },
      })),
    );
    await road.faults.embedding.clearLedger();
    const documentId = await upload(me, { content: manyParts(60) });
    const detail = await reach(me, documentId, 'complete');
    const { rows } = await road.database.pool.query(
      'select count(*)::int as n from intake.vectors_384 where document_id = $1',
      [documentId],
    );
    expect(rows[0].n).toBe(detail.chunks);
    const asked = await askedOfEmbedder();
    expect(asked.filter(({ status }) => status === 429)).toHaveLength(3);
    const answered = asked.filter(({ status }) => status === 200).flatMap(({ inputs }) => inputs);
    expect(new Set(answered).size, 'none twice').toBe(answered.length);
    expect(answered).toHaveLength(detail.chunks ?? 0);
  });

  test('vectors that have gone bad before the proof fail the document, and a retry makes new ones', async () => {
    const { pool } = road.database;
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      skip: 1,
      effect: { kind: 'delay', ms: 2_000 },
    });
    const documentId = await upload(me, { content: manyParts(12) });
    const spoilt = await vi.waitFor(
      async () => {
        const { rowCount } = await pool.query(
          `update intake.vectors_384 set embedding = array_fill(0::real, array[384])::vector where document_id = $1`,
          [documentId],
        );
        expect(rowCount).toBeGreaterThan(0);
        return rowCount;
      },
      { timeout: 30_000, interval: 20 },
    );
    const failed = await reach(me, documentId, 'failed_embedding');
    expect(failed.error?.code).toBe('EMBEDDINGS_UNPROVEN');
    expect(failed.chunks, 'what could not be proven is gone').toBeUndefined();
    await me.api.retry(documentId);
    const { chunks, attempts } = await reach(me, documentId, 'complete');
    expect(chunks).toBeGreaterThan(spoilt ?? 0);
    expect(attempts).toHaveLength(2);
    expect(await jobs(documentId), 'nothing was parsed again').toHaveLength(1);
  });

  test('a proof that the database breaks off is made again, and nothing is asked for again', async () => {
    const { pool } = road.database;
    await road.faults.embedding.clearLedger();
    await pool.query(`
      create function intake.break_off() returns trigger language plpgsql as
        $$ begin raise exception 'broken off' using errcode = '40001'; end $$;
      create trigger break_off before update on intake.attempts
        for each row when (new.status = 'embeddings_stored') execute function intake.break_off();`);
    try {
      const documentId = await upload(me, policy());
      await vi.waitFor(
        async () =>
          expect((await me.api.document(documentId)).waiting?.code).toBe('DATABASE_UNAVAILABLE'),
        { timeout: 30_000 },
      );
      await pool.query('drop function intake.break_off cascade');
      await reach(me, documentId, 'complete');
    } finally {
      await pool.query('drop function if exists intake.break_off cascade');
    }
    expect(await askedOfEmbedder()).toHaveLength(1);
  });
});

describe('ends by will', () => {
  test('cancel is final while the parser works, and the vendor is told', async () => {
    const { counts: before } = await road.faults.parser.ledger();
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    expect(await me.api.cancel(documentId)).toMatchObject({ status: 'cancelled' });
    await expect(runOf(documentId).result()).rejects.toThrow();
    expect((await runOf(documentId).describe()).status.name).toBe('CANCELLED');
    expect((await me.api.document(documentId)).status).toBe('cancelled');
    expect(await jobs(documentId)).toEqual([{ state: 'cancelled' }]);
    const { counts: after } = await road.faults.parser.ledger();
    expect(after['parse.cancel']).toBe((before['parse.cancel'] ?? 0) + 1);
    expect(after['file.delete']).toBe((before['file.delete'] ?? 0) + 1);
  });

  test('delete beats a late embedder, and nothing of it is found', async () => {
    const { content, word } = policy();
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      effect: { kind: 'delay', ms: 2_000 },
    });
    const documentId = await upload(me, { content });
    await reach(me, documentId, 'embedding_in_progress');
    expect(await me.api.delete(documentId)).toMatchObject({ status: 'deleted' });
    await expect(me.api.document(documentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(runOf(documentId).result()).rejects.toThrow();
    const { passages } = await me.api.search({ query: word });
    expect(passages.filter((passage) => passage.documentId === documentId)).toEqual([]);
    await eventually(async () => {
      const { rows } = await road.database.pool.query(
        `select (select count(*) from intake.chunks where document_id = $1) + (select count(*) from intake.vectors_384 where document_id = $1) as n`,
        [documentId],
      );
      expect(Number(rows[0].n)).toBe(0);
    });
    const erasure = road.temporal.client.workflow.getHandle(eraseWorkflowId(documentId));
    expect((await erasure.describe()).status.name).toBe('RUNNING');
    await erasure.terminate();
  });

  test('delete takes all that the vendor has under our id: the job of a double payment, an upload beside it', async () => {
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
    const { rows } = await road.database.pool.query<{ id: ParseJobId; since: Date }>(
      'select id, created_at as since from intake.parse_jobs where document_id = $1',
      [documentId],
    );
    const [job = { id: '' as ParseJobId, since: new Date() }] = rows;
    const twice = {
      parseJobId: job.id,
      mediaType: 'text/markdown',
      sizeBytes: 7,
      content: async () => Readable.from(['# Twice']),
      callbackUrl: undefined,
      beforeCreate: async () => undefined,
      firstTry: true, // uploads anew
      signal: soon(),
    } as const;
    const seconds = [await vendor().submit(twice), await vendor().submit(twice)];
    await me.api.delete(documentId);
    await vi.waitFor(
      async () => expect(await vendor().find(job.id, job.since, soon())).toBeUndefined(),
      { timeout: 30_000 },
    );
    const { calls } = await road.faults.parser.ledger();
    const deleted = (operation: string) =>
      calls.filter((call) => call.operation === operation).map(({ subject }) => subject);
    for (const { providerJobId, providerFileId } of seconds) {
      expect(deleted('parse.delete')).toContainEqual(expect.stringContaining(providerJobId));
      await eventually(async () => {
        const { calls: later } = await road.faults.parser.ledger();
        expect(later).toContainEqual(
          expect.objectContaining({
            operation: 'file.delete',
            subject: expect.stringContaining(providerFileId ?? ''),
          }),
        );
      });
    }
    await road.temporal.client.workflow.getHandle(eraseWorkflowId(documentId)).terminate();
  });

  test('a reset in Temporal: the new run takes the row over and completes it', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 2_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    await reset(road, documentId);
    await reach(me, documentId, 'complete');
    expect(await jobs(documentId)).toHaveLength(1);
  });
});

describe('nobody else', () => {
  test('reads, starts, confirms, retries, cancels or deletes what is not theirs', async () => {
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'complete');
    const other = await road.person();
    const { document, confirmUpload, retry, cancel, delete: remove } = other.api;
    for (const command of [document, confirmUpload, retry, cancel, remove]) {
      await expect(command(documentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await other.api.documents({})).documents).toEqual([]);
    const idPrefix = documentId.slice(0, 8);
    expect((await other.api.documents({ idPrefix })).documents).toEqual([]);
    expect((await me.api.documents({ idPrefix })).documents).toMatchObject([{ documentId }]);
    expect((await other.api.search({ query: 'copayment dental plan' })).passages).toEqual([]);
    for (const file of ['original', 'markdown']) {
      const response = await fetch(`${road.url}/v1/documents/${documentId}/${file}`, {
        headers: { authorization: `Bearer ${other.token}` },
      });
      expect(response.status).toBe(404);
    }
  });
});

describe('a worker that stops', () => {
  test('hands over: documents go on where they were, and no finished sub-batch is asked for twice', async () => {
    const content = Array.from(
      { length: 80 },
      (_, n) => `# Section ${n}\n\n${`Sentence ${n} about handing over work. `.repeat(20)}\n`,
    ).join('\n');
    await road.faults.embedding.add({
      operation: 'embeddings.create',
      times: 'always',
      effect: { kind: 'delay', ms: 200 },
    });
    await road.faults.embedding.clearLedger();
    const documentId = await upload(me, { content });
    await reach(me, documentId, 'embedding_in_progress');
    await road.stopWorker();
    await road.startWorker();
    const detail = await reach(me, documentId, 'complete');
    const { counts } = await road.faults.embedding.ledger();
    expect(counts['embeddings.create']).toBeLessThanOrEqual(
      Math.ceil((detail.chunks ?? 0) / 8) + 1,
    );
    expect(detail.timeline.map(({ code }) => code)).not.toContain('WORKER_LOST');
  });
});

test('every run that these tests made has closed as the table of ends says', async () => {
  const { rows } = await road.database.pool.query<{
    document_id: string;
    run_id: string;
    status: TerminalStatus;
  }>(
    'select document_id, run_id, status from intake.attempts where ended_at is not null and run_id is not null',
  );
  for (const { document_id, run_id, status } of rows) {
    const handle = road.temporal.client.workflow.getHandle(
      ingestWorkflowId(document_id as DocumentId),
      run_id,
    );
    await eventually(async () => {
      expect(
        (await handle.describe()).status.name.toLowerCase().replace('cancelled', 'canceled'),
        status,
      ).toBe(closings[status]);
    });
  }
  expect(new Set(rows.map(({ status }) => closings[status]))).toEqual(
    new Set(Object.values(closings)),
  );
});
