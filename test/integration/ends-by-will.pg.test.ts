/**
 * Cancel and delete at every stage of the road, on real parts: final at once in the row, within moments in Temporal and at
 * the parser, and whatever arrives late changes nothing. What a reset and a used upload URL do at those stages stands here too.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DocumentId, ingestWorkflowId } from '../../src/domain/ids.ts';
import type { Status } from '../../src/domain/ingestion.ts';
import { type HeldDocument, holdAt, stages } from '../support/held-stages.ts';
import { type Person, put, type Road, reach, reset, startRoad, upload } from '../support/road.ts';
import { sendWebhook, webhookSecrets } from '../support/webhook.ts';

const wills = ['cancel', 'delete'] as const;
type Will = (typeof wills)[number];

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad();
  me = await road.person();
  await road.startWorker();
});
afterEach(() => Promise.all(Object.values(road.faults).map((faults) => faults.clear())));
afterAll(async () => {
  await road.close();
  report();
});

const times: { readonly answeredMs: number; readonly closedMs: number }[] = [];

/** How long an end by will took; told and not judged, since a busy machine is no reason to fail. */
function report(): void {
  const p99 = (of: keyof (typeof times)[number]) => {
    const sorted = times.map((time) => time[of]).toSorted((a, b) => a - b);
    return Math.round(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0);
  };
  process.stdout.write(
    `${times.length} ends by will: row terminal p99 ${p99('answeredMs')} ms, run closed p99 ${p99('closedMs')} ms\n`,
  );
}

const rowsOf = async <Row extends object>(sql: string, documentId: string): Promise<Row[]> =>
  (await road.database.pool.query<Row>(sql, [documentId])).rows;
const statusLine = async (documentId: string) => {
  const rows = await rowsOf<{ status: Status }>(
    `select status from intake.events where document_id = $1 and kind = 'status' order by id`,
    documentId,
  );
  return rows.map(({ status }) => status);
};
const runOf = (documentId: DocumentId) =>
  road.temporal.client.workflow.getHandle(ingestWorkflowId(documentId));
const closing = async (documentId: DocumentId) =>
  await vi.waitFor(
    async () => {
      const { name } = (await runOf(documentId).describe()).status;
      expect(name).not.toBe('RUNNING');
      return name;
    },
    { timeout: 45_000, interval: 25 },
  );

/** A short text of its own; a longer one takes the chunker a while. */
function fileFor(stage: { readonly longer?: true }) {
  const word = `zephyrine${randomUUID()}`;
  const clause = `The ${word} plan covers a visit, a test and a week of care at home.\n\n`;
  return { content: `# Policy\n\n${clause.repeat(stage.longer ? 15_000 : 1)}` };
}

async function end(will: Will, { documentId }: HeldDocument): Promise<void> {
  const askedAt = performance.now();
  const answer = await me.api[will](documentId);
  const answeredMs = performance.now() - askedAt;
  expect(answer).toMatchObject({ status: endOf[will] });
  expect(await closing(documentId)).toBe('CANCELLED');
  times.push({ answeredMs, closedMs: performance.now() - askedAt });
}
const endOf = { cancel: 'cancelled', delete: 'deleted' } as const;

const jobsOf = (documentId: string) =>
  rowsOf<{ id: string; state: string }>(
    'select id, state from intake.parse_jobs where document_id = $1',
    documentId,
  );

/** Jobs that the parser has still in hand. */
async function jobsUnderWay(jobIds: readonly string[]): Promise<readonly string[]> {
  const response = await fetch(`${road.config.LLAMA_CLOUD_BASE_URL}/api/v2/parse?page_size=100`, {
    headers: { authorization: `Bearer ${road.config.LLAMA_CLOUD_API_KEY}` },
  });
  const { items } = (await response.json()) as {
    items: { status: string; user_metadata?: { parseJobId?: string } }[];
  };
  return items
    .filter(({ status }) => ['PENDING', 'RUNNING'].includes(status))
    .map((item) => item.user_metadata?.parseJobId ?? '')
    .filter((id) => jobIds.includes(id));
}

/** Everything that can still come: bytes, their confirm, the parser's word, and its doubled word. */
async function sendLateMessages(
  will: Will,
  { documentId, uploadUrl }: HeldDocument,
  jobIds: readonly string[],
): Promise<void> {
  await put(uploadUrl, { content: 'late bytes' });
  const confirmed = me.api.confirmUpload(documentId).then(
    ({ status }) => status,
    ({ code }: { code: string }) => code,
  );
  expect(await confirmed).toBe(will === 'cancel' ? 'cancelled' : 'NOT_FOUND');
  const secrets = webhookSecrets({
    WEBHOOK_TOKEN_KEY: road.config.WEBHOOK_TOKEN_KEY,
    WEBHOOK_SIGNING_SECRET: road.config.WEBHOOK_SIGNING_SECRET,
  });
  for (const jobId of [...jobIds, ...jobIds]) {
    // 404 once erasure has taken the job's row.
    expect([202, 404]).toContain((await sendWebhook(road.url, jobId, secrets)).status);
  }
}

async function proveCancelled(documentId: DocumentId, before: readonly Status[]): Promise<void> {
  expect(await statusLine(documentId)).toEqual([...before, 'cancelled']);
  expect(await me.api.document(documentId)).toMatchObject({ status: 'cancelled' });
  const states = (await jobsOf(documentId)).map(({ state }) => state);
  expect(states.filter((state) => ['submitting', 'submitted'].includes(state))).toEqual([]);
}

async function proveDeleted(documentId: DocumentId): Promise<void> {
  await expect(me.api.document(documentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const documents = await rowsOf(
    'select live_generation_id, name, sha256 from intake.documents where id = $1',
    documentId,
  );
  expect(documents).toEqual([{ live_generation_id: null, name: '', sha256: null }]);
  const chunks = () => rowsOf('select from intake.chunks where document_id = $1', documentId);
  await vi.waitFor(async () => expect(await chunks()).toEqual([]), 30_000);
}

/** What is left of a document after all that. */
const proofs = { cancel: proveCancelled, delete: proveDeleted } as const;

const cells = stages.flatMap((stage) => wills.map((will) => [will, stage.name, stage] as const));

describe('whatever comes late', () => {
  test.each(cells)('%s is final: %s', async (will, _name, stage) => {
    const document = await holdAt(stage, { road, me }, fileFor(stage));
    const { documentId } = document;
    const before = await statusLine(documentId);
    const jobIds = (await jobsOf(documentId)).map(({ id }) => id);
    await end(will, document);
    await Promise.all(Object.values(road.faults).map((faults) => faults.clear()));
    await sendLateMessages(will, document, jobIds);
    await vi.waitFor(async () => expect(await jobsUnderWay(jobIds)).toEqual([]), 30_000);

    await proofs[will](documentId, before);
    expect(await closing(documentId)).toBe('CANCELLED');
    // The breaker is open.
    if (stage.name === 'waiting for storage') await renewWorker();
  });
});

async function renewWorker(): Promise<void> {
  await road.stopWorker();
  await road.startWorker();
}

describe('an upload URL used again', () => {
  const verified = stages.filter(
    ({ name, client }) =>
      client === 'uploaded' && !['chunking', 'waiting for storage'].includes(name),
  );

  test.each(verified.map((stage) => [stage.name, stage] as const))(
    'changes nothing: %s',
    async (_name, stage) => {
      const file = fileFor(stage);
      const { documentId, uploadUrl } = await holdAt(stage, { road, me }, file);
      await put(uploadUrl, { content: 'something else' });
      await me.api.confirmUpload(documentId);
      await reach(me, documentId, 'complete');
      const original = await fetch(`${road.url}/v1/documents/${documentId}/original`, {
        headers: { authorization: `Bearer ${me.token}` },
      });
      expect(await original.text()).toBe(file.content);
    },
  );

  test('after a cancel spoils no later upload of the same file', async () => {
    const [beforeTheFirstTask] = stages;
    const file = fileFor(beforeTheFirstTask);
    const held = await holdAt(beforeTheFirstTask, { road, me }, file);
    await end('cancel', held);
    await put(held.uploadUrl, { content: 'something else' });
    expect(await upload(me, file)).toBe(held.documentId);
    await reach(me, held.documentId, 'complete');
  });
});

describe('a reset in Temporal while the old activity is at work', () => {
  const writing = stages.filter(({ name }) =>
    ['submitting', 'collecting', 'embedding'].includes(name),
  );

  test.each(writing.map((stage) => [stage.name, stage] as const))(
    'ends in one complete document: %s',
    async (_name, stage) => {
      const { documentId } = await holdAt(stage, { road, me }, fileFor(stage));
      await reset(road, documentId);
      await reach(me, documentId, 'complete');
      // It goes when the old activity has ended, and with it what that may still write.
      await renewWorker();
      const line = await statusLine(documentId);
      expect(new Set(line).size).toBe(line.length);
      expect(await jobsOf(documentId)).toMatchObject([{ state: 'completed' }]);
      const [counted] = await rowsOf<{ chunks: number; vectors: number }>(
        `select (select count(*)::int from intake.chunks where document_id = $1) as chunks,
                (select count(*)::int from intake.vectors_384 where document_id = $1) as vectors`,
        documentId,
      );
      expect(counted?.vectors).toBe(counted?.chunks);
    },
  );
});
