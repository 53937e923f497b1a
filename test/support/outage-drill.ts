/** A server that Intake cannot do without goes away for twenty seconds, in the middle of work, and comes back. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Answer,
  confirm,
  declaration,
  declare,
  ended,
  put,
  reach,
  type Seen,
  upload,
} from './person.ts';
import type { Stack } from './stack.ts';
import { untilTrue } from './until.ts';

interface Server {
  stop(): Promise<unknown>;
  /** At its old address, with its old data. */
  start(): Promise<unknown>;
}

export interface OutageReport {
  /** What a person was answered who came in the middle of it. */
  readonly refused: Answer<unknown>;
  /** How the documents ended that were under way, and the one of that person. */
  readonly ends: Readonly<Record<string, Seen>>;
}

/** The outage is what is tried: nothing is waited for. */
const OUTAGE_MS = 20_000;

export async function drillOutage(stack: Stack, server: Server): Promise<OutageReport> {
  const person = await stack.person();
  const late = policy('came late');
  const waiting = await declare(person, late);
  await stack.faults.embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    effect: { kind: 'delay', ms: 300 },
  });
  const embedding = await upload(person, manyPolicies());
  await reach(person, embedding, 'embedding_in_progress');
  // Done while nobody can hear it.
  await stack.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 5_000 } });
  const parsing = await upload(person, policy('was being parsed'));
  await reach(person, parsing, 'parse_queued');

  await server.stop();
  await put(waiting.uploadUrl, late); // storage is another's
  const unlucky = policy('came in the outage');
  const [refused] = await Promise.all([
    person.send('POST', '/v1/uploads', { json: declaration(unlucky) }),
    delay(OUTAGE_MS),
  ]);
  await server.start();

  const { documentId: bytes } = waiting;
  await untilTrue('the API takes a confirm', async () => (await confirm(person, bytes)) < 300);
  const ids = { bytes, parsing, embedding, unlucky: await upload(person, unlucky) };
  const ends = await Promise.all(
    Object.entries(ids).map(async ([name, id]) => [name, await ended(person, id)] as const),
  );
  return { refused, ends: Object.fromEntries(ends) };
}

function policy(word: string) {
  return { content: `# Policy\n\nThe copayment of the one that ${word} is 20 dollars.\n` };
}

/** Some twenty sub-batches. */
function manyPolicies() {
  const sections = Array.from(
    { length: 160 },
    (_, n) => `# Section ${n}\n\n${`Sentence ${n} about work that waits. `.repeat(12)}\n`,
  );
  return { content: sections.join('\n') };
}
