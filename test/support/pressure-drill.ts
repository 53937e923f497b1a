/**
 * Many documents at once against a parser that allows only so many calls a second and an embedder that answers every
 * third call with 429. What counts: all complete, none fails, hardly a call is wasted.
 */
import type { RecordedCall } from '../../src/dev/fault-rules.ts';
import { ended, type Person, upload } from './person.ts';
import type { Stack } from './stack.ts';

const PARSER_CALLS_PER_SECOND = 15;
const EMBEDDER_REFUSES_EVERY = 3;
const EMBEDDER_PAUSE_MS = 300;
const PATIENCE_MS = 30 * 60_000;

/** A little below what the provider allows, as an operator would set it, and nothing at once: its window is strict. */
export const pressureSettings = {
  PARSER_CALLS_PER_SECOND: `${PARSER_CALLS_PER_SECOND - 1}`,
  PARSER_CALLS_BURST: '1',
  MAX_UNFINISHED_UPLOADS: '100000',
  MAX_RESERVED_BYTES: '100000000000',
} as const;

/** What the parser does without being called. */
const byItself = /^(parse\.(run|paid|cached)|webhook\.deliver)$/;

export interface PressureReport {
  readonly documents: number;
  readonly complete: number;
  readonly failed: number;
  readonly seconds: number;
  readonly parserCalls: number;
  /** Refused beyond the limit: each of them was wasted. */
  readonly parserWasted: number;
  readonly embedderCalls: number;
  readonly embedderForced: number;
  /** Made while the embedder had told everybody to wait, or refused without being told to. */
  readonly embedderWasted: number;
}

export async function drillPressure(stack: Stack, documents: number): Promise<PressureReport> {
  const { parser, embedding } = stack.faults;
  await Promise.all([parser.clearLedger(), embedding.clearLedger()]);
  await parser.add({
    operation: 'any',
    times: 'always',
    effect: { kind: 'limit', callsPerSecond: PARSER_CALLS_PER_SECOND },
  });
  await embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    every: EMBEDDER_REFUSES_EVERY,
    effect: { kind: 'answer', status: 429, headers: { 'retry-after-ms': `${EMBEDDER_PAUSE_MS}` } },
  });
  const startedAt = performance.now();
  const statuses = await ingestAll(await stack.person(), documents);
  const seconds = (performance.now() - startedAt) / 1000;
  const asked = (await parser.ledger()).calls.filter((call) => !byItself.test(call.operation));
  const embedded = (await embedding.ledger()).calls;
  await Promise.all([parser.clear(), embedding.clear()]);
  const complete = statuses.filter((status) => status === 'complete').length;
  return {
    documents,
    complete,
    failed: documents - complete,
    seconds,
    parserCalls: asked.length,
    parserWasted: asked.filter(({ status }) => status === 429).length,
    embedderCalls: embedded.length,
    embedderForced: embedded.filter(({ status }) => status === 429).length,
    embedderWasted: madeWhilePaused(embedded),
  };
}

async function ingestAll(person: Person, documents: number): Promise<readonly string[]> {
  const files = Array.from({ length: documents }, (_, index) => ({
    name: `policy ${index}.md`,
    content: `# Policy ${index}\n\nThe copayment of visit ${index} is ${index} dollars.\n`,
  }));
  const ids: string[] = [];
  for (const file of files) ids.push(await upload(person, file));
  const ends: string[] = [];
  for (const id of ids) ends.push((await ended(person, id, PATIENCE_MS)).status);
  return ends;
}

/** Calls that began after a 429 had been answered and before its pause was over. */
function madeWhilePaused(calls: readonly RecordedCall[]): number {
  const pauses = calls
    .filter(({ status }) => status === 429)
    .map(({ at, ms = 0 }) => Date.parse(at) + ms);
  // What was on its way when the 429 was answered could not know of it.
  const ON_ITS_WAY_MS = 50;
  return calls.filter(({ at }) =>
    pauses.some((pausedAt) => {
      const begun = Date.parse(at) - pausedAt;
      return begun > ON_ITS_WAY_MS && begun < EMBEDDER_PAUSE_MS - ON_ITS_WAY_MS;
    }),
  ).length;
}
