/**
 * kill -9 of the worker while documents are at the points where a kill could hurt, and what came of it.
 * Used by the chaos test, which asserts, and by `bench/recovery`, which measures.
 */
import type { Pool } from 'pg';
import { confirm, declare, ended, look, type Person, put, type Seen, upload } from './person.ts';
import type { Stack } from './stack.ts';
import { until, untilTrue } from './until.ts';
import { loseWebhook, sendWebhook, untilParsed, webhookSecrets } from './webhook.ts';

const points = [
  'waits for bytes',
  'waits for the webhook',
  'hangs in the submit',
  'submitted, answer not heard',
  'embeds',
] as const;
type Point = (typeof points)[number];

export interface DrillReport {
  /** From the start of the new process until it polls. */
  readonly readyMs: number;
  readonly documents: readonly {
    readonly point: Point;
    readonly documentId: string;
    readonly end: Seen;
    /** From the start of the new process until the document's next step was written down, or its next call was made. */
    readonly workAgainMs: number;
  }[];
  /** Inputs of sub-batches that were finished before the kill and asked for again after it. */
  readonly paidTwice: readonly string[];
}

interface Scene {
  readonly stack: Stack;
  readonly pool: Pool;
  readonly person: Person;
}

const EMBED_DELAY_MS = 300;

export async function drillWorkerKill(stack: Stack, pool: Pool): Promise<DrillReport> {
  const person = await stack.person();
  const scene = { stack, pool, person };
  const bytes = await declare(person, shortFile('bytes'));
  await confirm(person, bytes.documentId); // looks four times, then waits
  const webhook = await waitForWebhook(scene);
  const hung = await hangInSubmit(scene);
  const unheard = await loseSubmitAnswer(scene);
  await untilTrue('the looks are over', () => isWaiting(scene, bytes.documentId));
  const embedding = await embedSlowly(scene);

  await stack.worker.kill();
  const before = await embedderCalls(stack);
  const startedAt = Date.now();
  const ready = stack.worker.start().then(() => Date.now() - startedAt);
  await put(bytes.uploadUrl, shortFile('bytes'));
  await confirm(person, bytes.documentId);
  await sendWebhook(stack.url, webhook.parseJobId, webhookSecrets(stack.environment));

  const ids: Record<Point, string> = {
    'waits for bytes': bytes.documentId,
    'waits for the webhook': webhook.documentId,
    'hangs in the submit': hung,
    'submitted, answer not heard': unheard,
    embeds: embedding,
  };
  const documents = await Promise.all(
    points.map(async (point) => {
      const documentId = ids[point];
      const end = await ended(person, documentId);
      const nextStepAt =
        point === 'embeds'
          ? await firstCallAfter(stack, before.length)
          : await firstWriteAfter(scene, documentId, startedAt);
      return { point, documentId, end, workAgainMs: nextStepAt - startedAt };
    }),
  );
  // Each sub-batch is written before the next is asked for, so all but the last one were finished.
  const finished = new Set(inputsOf(before.slice(0, -1)));
  const again = inputsOf((await embedderCalls(stack)).slice(before.length));
  const paidTwice = again.filter((input) => finished.has(input));
  return { readyMs: await ready, documents, paidTwice };
}

/** The stand-in loses this one's webhook: the drill sends it when the worker is dead. */
async function waitForWebhook({ stack, pool, person }: Scene) {
  await stack.faults.parser.add(loseWebhook);
  const documentId = await upload(person, shortFile('webhook'));
  return { documentId, parseJobId: await untilParsed(stack, pool, documentId) };
}

/** With the file on our disk, half way to the parser. */
async function hangInSubmit({ stack, person }: Scene): Promise<string> {
  await stack.faults.parser.add({ operation: 'file.create', effect: { kind: 'hang' } });
  const documentId = await upload(person, shortFile('hang'));
  await untilTrue('a submit hangs', () => isUnanswered(stack, 'file.create'));
  return documentId;
}

/** The parser has the job and works on it; the worker that asked dies before it hears so. */
async function loseSubmitAnswer({ stack, person }: Scene): Promise<string> {
  await stack.faults.parser.add(
    { operation: 'parse.create', effect: { kind: 'named', name: 'early-webhook' } },
    { operation: 'parse.run', effect: { kind: 'delay', ms: 20_000 } },
  );
  const documentId = await upload(person, shortFile('unheard'));
  await untilTrue('a job is made', () => isUnanswered(stack, 'parse.create'));
  return documentId;
}

async function embedSlowly({ stack, person }: Scene): Promise<string> {
  await stack.faults.embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    effect: { kind: 'delay', ms: EMBED_DELAY_MS },
  });
  const documentId = await upload(person, longFile());
  await untilTrue('some sub-batches are done', async () => (await embedderCalls(stack)).length > 3);
  return documentId;
}

async function isWaiting({ person, pool }: Scene, documentId: string): Promise<boolean> {
  const { rows } = await pool.query<{ looks: number }>(
    'select looks from intake.attempts where document_id = $1',
    [documentId],
  );
  const { waiting } = await look(person, documentId);
  return rows[0]?.looks === 4 && waiting?.code === 'STORAGE_OBJECT_ABSENT';
}

async function isUnanswered({ faults }: Stack, operation: string): Promise<boolean> {
  const { calls } = await faults.parser.ledger();
  return calls.some((call) => call.operation === operation && call.status === null);
}

interface EmbedderCall {
  readonly inputs: readonly string[];
  readonly atMs: number;
}

async function embedderCalls({ faults }: Stack): Promise<readonly EmbedderCall[]> {
  const { calls } = await faults.embedding.ledger();
  return calls
    .filter(({ operation }) => operation === 'embeddings.create')
    .map(({ subject, at }) => ({ inputs: subject?.split(',') ?? [], atMs: Date.parse(at) }));
}

function inputsOf(calls: readonly EmbedderCall[]): readonly string[] {
  return calls.flatMap(({ inputs }) => inputs);
}

/** When the long file's next sub-batch was asked for; the other files are of one chunk each. */
async function firstCallAfter(stack: Stack, earlier: number): Promise<number> {
  const later = (await embedderCalls(stack)).slice(earlier);
  return later.find(({ inputs }) => inputs.length > 1)?.atMs ?? Number.NaN;
}

/** Epoch milliseconds of the first status of the document that is younger than `instant`. */
function firstWriteAfter({ pool }: Scene, documentId: string, instant: number): Promise<number> {
  return until(`${documentId} goes on`, async () => {
    const { rows } = await pool.query<{ at: Date | null }>(
      `select min(at) as at from intake.events
       where document_id = $1 and kind = 'status' and at > $2`,
      [documentId, new Date(instant)],
    );
    return rows[0]?.at?.getTime();
  });
}

function shortFile(word: string) {
  return { content: `# Policy\n\nThe copayment of this ${word} document is 20 dollars.\n` };
}

/** Some thirty sub-batches of eight, no two chunks alike. */
function longFile() {
  const sections = Array.from(
    { length: 240 },
    (_, n) => `# Section ${n}\n\n${`Sentence ${n} about work that goes on. `.repeat(12)}\n`,
  );
  return { content: sections.join('\n') };
}
