/**
 * What can befall a document, and everybody at once, as rules for the stand-ins. All of it passes: a pipeline that waits,
 * looks at what it was answered and tries again brings the document home. A document's own trouble with storage begins
 * when its person sends the bytes; parser and embedder fail a number of calls about it.
 */
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import type { Random } from './random.ts';

/** How the stand-ins know a document. */
export interface FaultTarget {
  readonly ownerId: string;
  readonly sha256: string;
  /** In each of its chunks. */
  readonly word: string;
}

export type Party = 'storage' | 'parser' | 'embedder';
export const families = ['storage', 'parser', 'webhook', 'embedder'] as const;
export type Family = (typeof families)[number];

export interface FaultKind {
  readonly name: string;
  readonly family: Family;
  readonly rules: (target: FaultTarget, random: Random) => readonly FaultRule[];
}

type Effect = FaultRule['effect'];

/** What was not met is forgotten after this. */
const FORGOTTEN_AFTER_MS = 600_000;

const reads = ['object.info', 'object.read', 'object.copy'];

interface Trouble {
  readonly effect: Effect;
  /** Least and most. */
  readonly seconds: readonly [number, number];
  readonly operations?: readonly string[];
}

/** Every read of the document's objects, for a while. */
function unreadable(name: string, { effect, seconds, operations = reads }: Trouble): FaultKind {
  const [least, most] = seconds;
  return {
    name,
    family: 'storage',
    rules: ({ ownerId }, random) => {
      const forMs = Math.round(random.between(least, most) * 1_000);
      return operations.map((operation) => ({
        ...{ operation, subject: ownerId, effect, forMs },
        times: 'always' as const,
      }));
    },
  };
}

/** The first read of each kind. */
function failingRead(name: string, effect: Effect): FaultKind {
  return {
    name,
    family: 'storage',
    rules: ({ ownerId }) =>
      reads.map((operation) => ({
        ...{ operation, subject: ownerId, effect },
        forMs: FORGOTTEN_AFTER_MS,
      })),
  };
}

/** The first calls about the document, at most so many. */
function failing(
  name: string,
  {
    operations,
    effect,
    most = 3,
  }: { readonly operations: readonly string[]; readonly effect: Effect; readonly most?: number },
): FaultKind {
  return {
    name,
    family: 'parser',
    rules: ({ sha256 }, random) => {
      const times = random.integer(1, most);
      return operations.map((operation) => ({
        ...{ operation, subject: sha256, effect, times },
        forMs: FORGOTTEN_AFTER_MS,
      }));
    },
  };
}

function webhook(name: string, effect: Effect, operation = 'webhook.deliver'): FaultKind {
  return { ...failing(name, { operations: [operation], effect, most: 1 }), family: 'webhook' };
}

function embedder(name: string, effect: Effect, most = 3): FaultKind {
  return {
    name,
    family: 'embedder',
    rules: ({ word }, random) => [
      {
        ...{ operation: 'embeddings.create', content: word, effect },
        times: random.integer(1, most),
        forMs: FORGOTTEN_AFTER_MS,
      },
    ],
  };
}

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Effect => ({
  kind: 'answer',
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: {
    'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
    ...headers,
  },
});
const named = (name: string, value?: number): Effect => ({
  kind: 'named',
  name,
  ...(value === undefined ? {} : { value }),
});
const page = (status: number) => answer(status, `<html><h1>${status}</h1></html>`);
const refused = (statusCode: string, code: string, message: string) =>
  answer(400, { statusCode, code, error: code, message });
const busy = answer(429, { detail: 'Too many requests' }, { 'retry-after': '2' });

const wrongKey = refused('403', 'AccessDenied', 'Invalid Compact JWS');

const submits = ['file.create', 'parse.create'];

export const faultKinds: readonly FaultKind[] = [
  unreadable('object invisible', { effect: named('hide'), seconds: [1, 12] }),
  unreadable('forbidden, dressed as missing', {
    effect: named('forbid-as-missing'),
    seconds: [1, 6],
  }),
  unreadable('slow reads', { effect: { kind: 'delay', ms: 2_000 }, seconds: [5, 15] }),
  unreadable('reads cut short', {
    effect: named('truncate', 100),
    seconds: [1, 4],
    operations: ['object.read'],
  }),
  failingRead('a read refused', wrongKey),
  failingRead('a read answered 503', page(503)),
  failingRead('a read reset', { kind: 'reset-before' }),
  failingRead('a read hangs', { kind: 'hang' }),

  failing('429 with Retry-After', { operations: submits, effect: busy }),
  failing('parser 503', { operations: submits, effect: page(503) }),
  failing('parser reset', { operations: submits, effect: { kind: 'reset-before' } }),
  failing('parser answers garbage', { operations: submits, effect: page(200) }),
  failing('submit hangs', { operations: ['parse.create'], effect: { kind: 'hang' }, most: 1 }),
  failing('submit done, answer lost', {
    operations: ['parse.create'],
    effect: { kind: 'reset-after' },
    most: 1,
  }),
  failing('result cut short', { operations: ['parse.get'], effect: named('drop-midway'), most: 2 }),
  failing('result is garbage', { operations: ['parse.get'], effect: named('truncate'), most: 2 }),
  failing('result 503', { operations: ['parse.get'], effect: page(503) }),
  failing('slow parse', {
    operations: ['parse.run'],
    effect: { kind: 'delay', ms: 4_000 },
    most: 1,
  }),

  webhook('webhook early', named('early-webhook'), 'parse.create'),
  webhook('webhook lost', named('lose')),
  webhook('webhook doubled', named('double')),
  webhook('webhook late, overtaken', named('hold', 4_000)),
  webhook('webhook forged', named('forge')),
  webhook('webhook stale', named('age')),
  webhook('webhook for another job', named('foreign')),

  embedder('embedder 429 with Retry-After', busy),
  embedder('embedder 503', page(503)),
  embedder('embedder reset', { kind: 'reset-before' }),
  embedder('embedder answers garbage', page(200)),
  embedder('vectors reordered', named('reorder')),
  embedder('vectors doubled', named('double')),
  embedder('vectors missing', named('drop')),
  embedder('vectors too short', named('truncate')),
  embedder('vectors zero', named('zero')),
  embedder('vectors not finite', named('not-finite')),
  embedder('embedder hangs', { kind: 'hang' }, 1),
];

const kindsOf = (family: Family) => faultKinds.filter((kind) => kind.family === family);

/** One kind of a family. */
export function drawKind(family: Family, random: Random): FaultKind {
  const kinds = kindsOf(family);
  const kind = kinds[random.integer(0, kinds.length - 1)];
  if (kind === undefined) throw new Error(`no kind of ${family}`);
  return kind;
}

/** Who plays the rules of a family. */
export function partyOf(family: Family): Party {
  return family === 'webhook' ? 'parser' : family;
}

/** Storage out of order for everybody: a key that was rotated before its time, a proxy, a network. */
export const outages: readonly [Outage, ...Outage[]] = [
  { name: '403 in a 400: the key of another project', effect: wrongKey },
  { name: '401 of the gateway', effect: answer(401, { message: 'Invalid API key' }) },
  { name: 'bucket missing', effect: refused('404', 'NoSuchBucket', 'Bucket not found') },
  { name: '503 of a proxy', effect: page(503) },
  { name: 'connections reset', effect: { kind: 'reset-before' } },
  { name: 'every read takes 3 s', effect: { kind: 'delay', ms: 3_000 } },
];

interface Outage {
  readonly name: string;
  readonly effect: Effect;
}

export function outageRules({ effect }: Outage, forMs: number): readonly FaultRule[] {
  return reads.map((operation) => ({ operation, effect, forMs, times: 'always' }));
}
