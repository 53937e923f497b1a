/** The oracle: what became of each document, against what was due to it by construction. */
import type { RecordedCall } from '../../src/dev/fault-rules.ts';
import type { Visit } from './person.ts';
import type { SideRun } from './run.ts';
import type { DocumentPlan, DueEnd } from './scenario.ts';
import type { Seen, SideName } from './side.ts';
import { type Interval, percentile, wilson } from './statistics.ts';

export interface Outcome {
  readonly plan: DocumentPlan;
  readonly end: Seen['end'] | 'wrong text' | 'refused';
  readonly code: string | undefined;
  readonly status: string;
  /** The sentence of FM-027. */
  readonly toldNotAccessible: boolean;
  /** Told to upload again, by whatever code, though the right bytes were there. */
  readonly falselyBlamed: boolean;
  readonly paidParses: number;
  readonly doubledChunks: boolean;
  /** From the moment in which the person began to send. */
  readonly searchableAfterMs: number | undefined;
}

/** Codes whose sentence is 'not accessible, upload again'. */
const notAccessible = ['STORAGE_ACCESS_ERROR', 'UPLOAD_EXPIRED'];
/** Codes whose sentence asks for another upload for other reasons. */
const uploadAgain = [
  ...notAccessible,
  'DECLARATION_MISMATCH',
  'EMPTY_FILE',
  'FILE_IS_BROKEN',
  'UNSUPPORTED_FILE_TYPE',
];

export function judge(
  { visits, seen }: SideRun,
  parserCalls: readonly RecordedCall[],
): readonly Outcome[] {
  const paid = countPaid(parserCalls);
  return visits.map((visit) =>
    outcomeOf(visit, seen.get(visit.documentId ?? ''), paid.get(visit.plan.sha256) ?? 0),
  );
}

/** By what was read. */
function countPaid(calls: readonly RecordedCall[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { operation, subject } of calls) {
    const sha256 = subject?.split(' ').at(-1);
    if (operation !== 'parse.paid' || sha256 === undefined) continue;
    counts.set(sha256, (counts.get(sha256) ?? 0) + 1);
  }
  return counts;
}

function outcomeOf(visit: Visit, seen: Seen | undefined, paid: number): Outcome {
  const { plan, sentAtMs, storedAtMs, refused } = visit;
  const end = endOf(visit, seen);
  const code = seen?.code;
  const failedAtMs = seen?.endedAtMs ?? 0;
  const bytesWereThere =
    plan.due === 'searchable' && storedAtMs !== undefined && storedAtMs <= failedAtMs;
  const asked = refused?.startsWith('500 ') === true || uploadAgain.includes(code ?? '');
  const texts = seen?.texts ?? [];
  return {
    plan,
    end,
    code,
    status: seen?.status ?? 'no row',
    toldNotAccessible:
      notAccessible.includes(code ?? '') || refused?.includes('not accessible') === true,
    falselyBlamed: plan.due === 'searchable' && asked && (bytesWereThere || refused !== undefined),
    paidParses: paid,
    doubledChunks: new Set(texts).size < texts.length,
    searchableAfterMs:
      end === 'searchable' && sentAtMs !== undefined ? failedAtMs - sentAtMs : undefined,
  };
}

function endOf({ plan, refused }: Visit, seen: Seen | undefined): Outcome['end'] {
  if (seen === undefined) return plan.due === 'gone' ? 'gone' : 'refused';
  if (seen.end === 'open' && refused !== undefined) return 'refused';
  if (seen.end !== 'searchable') return seen.end;
  const own = seen.texts.length > 0 && seen.texts.some((text) => text.includes(plan.word));
  const others = seen.texts.some((text) => /lab[0-9a-f]{12}/.test(text.replaceAll(plan.word, '')));
  return own && !others ? 'searchable' : 'wrong text';
}

/** How the ends that are due show themselves at a side that knows them. */
const dueEnds: Readonly<Record<DueEnd, (outcome: Outcome) => boolean>> = {
  searchable: ({ end }) => end === 'searchable',
  'not accessible': ({ toldNotAccessible }) => toldNotAccessible,
  rejected: ({ end }) => end === 'failed',
  unreadable: ({ end, toldNotAccessible }) => end === 'failed' && !toldNotAccessible,
  gone: ({ end }) => end === 'gone',
};

export function endedAsDue(outcome: Outcome): boolean {
  return dueEnds[outcome.plan.due](outcome);
}

export interface SideFigures {
  readonly name: SideName;
  readonly recoverable: number;
  readonly searchable: number;
  /** Of the recoverable ones, at 95%. */
  readonly success: Interval;
  readonly notAccessible: number;
  readonly falselyBlamed: number;
  readonly failedOtherwise: number;
  readonly stuck: number;
  readonly doubled: number;
  readonly unrecoverable: number;
  readonly unrecoverableWrong: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Ends that were not due, each with the documents that met it: their numbers and what befell them. */
  readonly surprises: Readonly<Record<string, readonly string[]>>;
}

export function figuresOf(name: SideName, outcomes: readonly Outcome[]): SideFigures {
  const recoverable = outcomes.filter(({ plan }) => plan.due === 'searchable');
  const others = outcomes.filter(({ plan }) => plan.due !== 'searchable');
  const count = (test: (outcome: Outcome) => boolean) => recoverable.filter(test).length;
  const searchable = count(endedAsDue);
  const times = recoverable.flatMap(({ searchableAfterMs }) => searchableAfterMs ?? []);
  const wrong = outcomes.filter((outcome) => !endedAsDue(outcome));
  return {
    name,
    recoverable: recoverable.length,
    searchable,
    success: wilson(searchable, recoverable.length),
    notAccessible: count(({ toldNotAccessible }) => toldNotAccessible),
    falselyBlamed: count(({ falselyBlamed }) => falselyBlamed),
    failedOtherwise: count(
      ({ end, toldNotAccessible }) =>
        ['failed', 'wrong text', 'refused'].includes(end) && !toldNotAccessible,
    ),
    stuck: outcomes.filter(({ end }) => end === 'open').length,
    doubled: count(({ paidParses, doubledChunks }) => paidParses > 1 || doubledChunks),
    unrecoverable: others.length,
    unrecoverableWrong: others.filter((outcome) => !endedAsDue(outcome)).length,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    surprises: gather(
      wrong.map(({ plan, end, status, code }) => [
        `${plan.due}, but ${end} (${code ?? status})`,
        [plan.number, ...plan.faults].join(', '),
      ]),
    ),
  };
}

export interface Comparison {
  /** Documents that both brought home. */
  readonly pairs: number;
  /** Sum of times against sum of times. */
  readonly ratio: number | undefined;
}

/** Intake's time against another's, on the documents where that one succeeded. */
export function compareTimes(intake: readonly Outcome[], other: readonly Outcome[]): Comparison {
  const ours = new Map(intake.map((outcome) => [outcome.plan.number, outcome.searchableAfterMs]));
  let pairs = 0;
  let oursMs = 0;
  let theirsMs = 0;
  for (const { plan, searchableAfterMs: theirs } of other) {
    const own = ours.get(plan.number);
    if (theirs === undefined || own === undefined) continue;
    pairs += 1;
    oursMs += own;
    theirsMs += theirs;
  }
  return { pairs, ratio: pairs === 0 ? undefined : oursMs / theirsMs };
}

function gather(
  pairs: readonly (readonly [string, string])[],
): Readonly<Record<string, readonly string[]>> {
  const gathered: Record<string, string[]> = {};
  for (const [key, value] of pairs) (gathered[key] ??= []).push(value);
  return gathered;
}
