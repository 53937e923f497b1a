/** SIGTERM under load: readiness flips first, work in hand is finished or handed over, and nobody is told of a fault. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { ended, exchange, type Person, reach, upload } from '../support/person.ts';
import { type Program, type Stack, startStack } from '../support/stack.ts';
import { until, untilTrue } from '../support/until.ts';

const DRAIN_SECONDS = 3;

let database: TestDatabase;
let stack: Stack;
let me: Person;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { API_DRAIN_SECONDS: `${DRAIN_SECONDS}` },
  });
  await stack.worker.start();
  me = await stack.person();
});
afterAll(async () => {
  await stack.close();
  await database.close();
});

const PATIENCE = { timeout: 180_000 };

test(
  'a worker hands over between two batches and finishes a submit; another one goes on',
  PATIENCE,
  async () => {
    const { embedding, parser } = stack.faults;
    const slow = { kind: 'delay', ms: 300 } as const;
    await embedding.add({ operation: 'embeddings.create', times: 'always', effect: slow });
    const embedded = await upload(me, manyPolicies());
    await reach(me, embedded, 'embedding_in_progress');
    await parser.add({ operation: 'parse.create', effect: { kind: 'delay', ms: 2_000 } });
    const submitted = await upload(me, policy('was being submitted'));
    await untilTrue('a submit is under way', () => isUnanswered('parse.create'));
    const url = await healthUrl(stack.worker);
    expect(await exchange(`${url}/health/live`)).toMatchObject({ status: 200 });
    expect(await exchange(`${url}/health/ready`)).toMatchObject({
      status: 200,
      body: { failing: [], state: 'RUNNING' },
    });

    const stopped = stack.worker.stop();
    // The submit is still in hand.
    const answer = await until('it is not ready', async () => {
      const seen = await exchange<{ failing: string[]; activities: number }>(`${url}/health/ready`);
      return seen.status === 503 ? seen.body : undefined;
    });
    expect(answer.failing).toContain('stopping');
    expect(answer.activities).toBeGreaterThan(0);
    expect(await exchange(`${url}/health/live`)).toMatchObject({ status: 200 });
    expect(await stopped).toMatchObject({ code: 0 });
    const atTheStop = await callsOfEmbedder();

    await stack.worker.start();
    const ends = await Promise.all([embedded, submitted].map((id) => ended(me, id)));
    for (const { status, attempts, timeline } of ends) {
      expect({ status, attempts: attempts.length }).toEqual({ status: 'complete', attempts: 1 });
      // On a busy machine a heartbeat may come too late; that is told as a race, and is no failure either.
      const told = timeline.filter(({ kind, code }) => code !== undefined && kind !== 'race');
      expect(told).toEqual([]);
    }
    // Not even the batch that was on the wire is asked for again: its answer was awaited and written.
    const later = (await callsOfEmbedder()).slice(atTheStop.length).flat();
    expect([atTheStop.length, later.length].every((count) => count > 0)).toBe(true);
    expect(atTheStop.flat().filter((input) => later.includes(input))).toEqual([]);
    expect((await parser.ledger()).counts).toMatchObject({ 'parse.create': 2, 'parse.paid': 2 });
  },
);

test('an API serves on while its readiness sends callers elsewhere, and finishes what it has begun', async () => {
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const writer = body.writable.getWriter();
  const sent = exchange(`${stack.url}/v1/documents?name=late.md`, {
    method: 'POST',
    headers: { authorization: `Bearer ${me.token}`, 'content-type': 'text/markdown' },
    body: body.readable,
    duplex: 'half',
  });
  await writer.write(Buffer.from('# Policy\n\nIt came '));
  const ready = () => exchange(`${stack.url}/health/ready`);
  await untilTrue('the API is ready', async () => (await ready()).status === 200);

  const stopped = stack.api.stop();
  const answer = await until('it is not ready', async () => {
    const seen = await ready();
    return seen.status === 503 ? seen.body : undefined;
  });
  expect(answer).toEqual({ status: 'not ready', notReady: ['stopping'] });
  expect(await me.send('GET', '/v1/limits')).toMatchObject({ status: 200 });
  await writer.write(Buffer.from('while the API was being stopped.\n'));
  await writer.close();
  expect(await sent).toMatchObject({ status: 201 });
  expect(await stopped).toMatchObject({ code: 0 });
  await stack.api.start();
});

test('a second signal ends a worker at once, whatever it has in hand', async () => {
  const { parser } = stack.faults;
  await parser.add({ operation: 'file.create', effect: { kind: 'hang' } });
  await upload(me, policy('hangs in the submit'));
  await untilTrue('a submit hangs', () => isUnanswered('file.create'));
  const { pid } = stack.worker;
  const stopped = stack.worker.stop();
  await untilTrue('it has begun to stop', async () => !(await isReady(stack.worker)));
  process.kill(pid, 'SIGTERM');
  expect(await stopped).toMatchObject({ code: 1 });
  const [said = ''] = (await stack.worker.output()).split('"worker ready"').slice(-1);
  expect(said).not.toContain('"phase"'); // none was waited for
});

async function healthUrl(program: Program): Promise<string> {
  const ports = [...(await program.output()).matchAll(/"healthPort":(\d+)/g)];
  return `http://127.0.0.1:${ports.at(-1)?.[1]}`;
}

async function isReady(program: Program): Promise<boolean> {
  return (await exchange(`${await healthUrl(program)}/health/ready`)).status === 200;
}

async function isUnanswered(operation: string): Promise<boolean> {
  const { calls } = await stack.faults.parser.ledger();
  return calls.some((call) => call.operation === operation && call.status === null);
}

/** The inputs of each for the long file; the others are of one chunk. */
async function callsOfEmbedder(): Promise<readonly (readonly string[])[]> {
  const { calls } = await stack.faults.embedding.ledger();
  return calls
    .filter(({ operation }) => operation === 'embeddings.create')
    .map(({ subject }) => subject?.split(',') ?? [])
    .filter((inputs) => inputs.length > 1);
}

function policy(word: string) {
  return { content: `# Policy\n\nThe copayment of the one that ${word} is 20 dollars.\n` };
}

/** Some twenty sub-batches, no two chunks alike. */
function manyPolicies() {
  const sections = Array.from(
    { length: 160 },
    (_, n) => `# Section ${n}\n\n${`Sentence ${n} about work in hand. `.repeat(12)}\n`,
  );
  return { content: sections.join('\n') };
}
