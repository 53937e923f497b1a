/**
 * The script: what each document's person does and what befalls it, decided by the seed and the document's number alone,
 * so that every side meets the same. Whether a document can be brought home is known by construction.
 */
import { createHash } from 'node:crypto';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import { drawKind, type Family, families, type Party, partyOf } from './fault-kinds.ts';
import { createRandom, type Random, uuidOf } from './random.ts';

/** `searchable`: can be brought home. The others must end otherwise, each in its own way. */
export type DueEnd = 'searchable' | 'not accessible' | 'rejected' | 'unreadable' | 'gone';

export type Confirm = 'once' | 'twice' | 'early' | 'never';

export interface DocumentPlan {
  readonly number: number;
  readonly ownerId: string;
  /** In every section, and in no other document. */
  readonly word: string;
  readonly content: string;
  /** Of the content; the declared one is another when the person's program lies. */
  readonly sha256: string;
  readonly declaredSha256: string;
  /** `undefined`: they never come. */
  readonly bytesLateMs: number | undefined;
  readonly confirm: Confirm;
  readonly deletedAfterMs: number | undefined;
  readonly due: DueEnd;
  /** Names of what befalls it. */
  readonly faults: readonly string[];
  readonly rules: Readonly<Record<Party, readonly FaultRule[]>>;
}

export interface ScenarioOptions {
  readonly seed: string;
  readonly side: string;
  /** Of 1: the documents that meet the script. Nothing befalls the others, and their bytes come at once. */
  readonly faultShare: number;
}

/** Of 1000 documents. */
const unrecoverable = { 'not accessible': 20, rejected: 20, gone: 10, unreadable: 10 } as const;

const shares: Readonly<Record<Family, number>> = {
  storage: 0.3,
  parser: 0.25,
  webhook: 0.25,
  embedder: 0.2,
};

const MOST_LATE_MS = 60_000;

export function planDocument(number: number, options: ScenarioOptions): DocumentPlan {
  const { seed, side, faultShare } = options;
  const random = createRandom(`${seed}/${number}`);
  const isMet = createRandom(`${seed}/${number}/met`).chance(faultShare);
  const name = `${seed}/${side}/${isMet ? 'faulty' : 'calm'}/${number}`;
  const identity = documentOf(name);
  if (!isMet) return { number, ...identity, ...calm };

  const due = drawDue(random);
  const kinds = families
    .filter((family) => random.chance(shares[family]))
    .map((family) => drawKind(family, random));
  const rules: Record<Party, FaultRule[]> = { storage: [], parser: [], embedder: [] };
  for (const kind of kinds) rules[partyOf(kind.family)].push(...kind.rules(identity, random));
  // Before the others: a call meets the first rule that means it.
  if (due === 'unreadable') rules.parser.unshift(broken(identity.sha256));
  return {
    number,
    ...identity,
    ...(due === 'rejected' ? { declaredSha256: digest(`not ${name}`) } : {}),
    bytesLateMs: due === 'not accessible' ? undefined : drawLateness(random),
    confirm: drawConfirm(random),
    deletedAfterMs: due === 'gone' ? random.integer(100, 2_000) : undefined,
    due,
    faults: kinds.map((kind) => kind.name),
    rules,
  };
}

const calm = {
  bytesLateMs: 0,
  confirm: 'once',
  deletedAfterMs: undefined,
  due: 'searchable',
  faults: [],
  rules: { storage: [], parser: [], embedder: [] },
} as const;

function documentOf(name: string) {
  const word = `lab${digest(name).slice(0, 12)}`;
  const content = policy(word);
  const sha256 = digest(content);
  return { ownerId: uuidOf(name), word, content, sha256, declaredSha256: sha256 };
}

function drawDue(random: Random): DueEnd {
  let place = random.integer(0, 999);
  for (const [due, count] of Object.entries(unrecoverable)) {
    if (place < count) return due as DueEnd;
    place -= count;
  }
  return 'searchable';
}

/** Half at once, a quarter within five seconds, the rest within a minute. */
function drawLateness(random: Random): number {
  if (random.chance(0.5)) return 0;
  return Math.round(
    random.chance(0.5) ? random.between(0, 5_000) : random.between(5_000, MOST_LATE_MS),
  );
}

function drawConfirm(random: Random): Confirm {
  return random.pick([
    'once',
    'once',
    'once',
    'once',
    'once',
    'once',
    'twice',
    'early',
    'early',
    'never',
  ]);
}

/** The parser can make nothing of it, however often it is asked. */
function broken(sha256: string): FaultRule {
  const effect = { kind: 'named', name: 'fail:PDF_IS_BROKEN' } as const;
  return { operation: 'parse.run', subject: sha256, times: 'always', forMs: 600_000, effect };
}

/** About 1.5 KB in four sections, the word in each of them. */
function policy(word: string): string {
  const clause = 'The plan covers dental care after a deductible, and asks for a copayment. ';
  const sections = ['Cover', 'Limits', 'Claims', 'Appeals'].map(
    (title) => `## ${title}\n\n${clause.repeat(4)}See clause ${title.toLowerCase()} of ${word}.\n`,
  );
  return [`# Policy ${word}\n`, ...sections].join('\n');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
