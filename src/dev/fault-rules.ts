/**
 * The script of faults and the ledger of calls that every stand-in keeps, as plain data.
 * A rule names an operation of the stand-in; `skip` calls pass first, then `times` calls meet the effect, or all of
 * the next `forMs` milliseconds.
 */
import { z } from 'zod';

const effect = z.discriminatedUnion('kind', [
  /** Waits, then goes on: with the next rule that applies, or with the work. */
  z.strictObject({ kind: z.literal('delay'), ms: z.number().int().min(0).max(600_000) }),
  /** Answers this instead of doing the work. */
  z.strictObject({
    kind: z.literal('answer'),
    status: z.number().int().min(200).max(599),
    body: z.string().default(''),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** Answers 429 beyond so many calls within any second, and does the work of those within. */
  z.strictObject({
    kind: z.literal('limit'),
    callsPerSecond: z.number().positive(),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** Resets the connection; the work is not done. */
  z.strictObject({ kind: z.literal('reset-before') }),
  /** Does the work, then resets the connection: the answer is lost. */
  z.strictObject({ kind: z.literal('reset-after') }),
  /** Never answers; the work is not done. */
  z.strictObject({ kind: z.literal('hang') }),
  /** Carried out by the stand-in itself: `truncate`, `double`, `forge`, … `value` is bytes, milliseconds or a count. */
  z.strictObject({ kind: z.literal('named'), name: z.string(), value: z.number().optional() }),
]);

const rule = z.strictObject({
  operation: z.string(),
  times: z.union([z.number().int().positive(), z.literal('always')]).default(1),
  skip: z.number().int().min(0).default(0),
  /** Counted from when the rule is added; afterwards it is forgotten, whatever is left of it. */
  forMs: z.number().int().positive().max(3_600_000).optional(),
  /** Of the calls after those only each n-th meets the effect. */
  every: z.number().int().positive().default(1),
  /** Only calls whose subject (object key, job id, …) holds this text. */
  subject: z.string().optional(),
  /** Only calls whose content (the inputs of an embedder) holds this text. */
  content: z.string().optional(),
  effect,
});

export type FaultRule = z.input<typeof rule>;
export type FaultEffect = Exclude<z.output<typeof effect>, { kind: 'limit' }>;
export type NamedFault = Extract<FaultEffect, { kind: 'named' }>;

/** Stands for every operation that is a call. */
export const ANY_CALL = 'any';

/** Operations of a stand-in, each with the named effects that it can carry out. */
export type Operations = Readonly<Record<string, readonly string[]>>;

export interface RecordedCall {
  readonly operation: string;
  readonly subject: string | null;
  /** ISO instant of arrival. */
  readonly at: string;
  /** `null` while there is no answer: under way, hung or reset. */
  readonly status: number | null;
  /** How long the answer took; absent while there is none, and for what nobody called. */
  readonly ms?: number;
}

export interface Ledger {
  readonly counts: Readonly<Record<string, number>>;
  readonly calls: readonly RecordedCall[];
}

/** A schema of `{ rules }` that knows the stand-in's operations, so that a misspelt rule is refused and not ignored. */
export function faultRequestSchema(operations: Operations) {
  const known = rule.superRefine((candidate, context) => {
    const names = candidate.operation === ANY_CALL ? [] : operations[candidate.operation];
    if (names === undefined) {
      context.addIssue(`unknown operation; known: ${Object.keys(operations).join(', ')}`);
    } else if (candidate.effect.kind === 'named' && !names.includes(candidate.effect.name)) {
      context.addIssue(`unknown effect of ${candidate.operation}; known: ${names.join(', ')}`);
    }
  });
  return z.strictObject({ rules: z.array(known) });
}

/** What a call is about, for rules that mean only some. */
export interface CallTopic {
  readonly subject: string | null;
  readonly content?: string | undefined;
}

export interface FaultBook {
  add(rules: readonly z.output<typeof rule>[]): void;
  clear(): void;
  /** Uses up the rules that apply to this call: any delays, then at most one other effect. */
  take(operation: string, topic: CallTopic): readonly FaultEffect[];
}

interface OpenRule {
  readonly rule: z.output<typeof rule>;
  readonly endsAtMs: number;
  left: number;
  skip: number;
  met: number;
  /** Instants of the calls that a limit let through within the last second. */
  passedAt: number[];
}

export function createFaultBook(now: () => number = Date.now): FaultBook {
  let open: OpenRule[] = [];
  return {
    add(rules) {
      for (const added of rules) {
        const left = added.times === 'always' ? Number.POSITIVE_INFINITY : added.times;
        const endsAtMs = now() + (added.forMs ?? Number.POSITIVE_INFINITY);
        open.push({ left, skip: added.skip, endsAtMs, met: 0, passedAt: [], rule: added });
      }
    },
    clear() {
      open = [];
    },
    take(operation, topic) {
      const effects: FaultEffect[] = [];
      open = open.filter((entry) => entry.left > 0 && entry.endsAtMs > now());
      for (const entry of open) {
        if (entry.rule.operation !== operation || !isAbout(entry.rule, topic)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.met += 1;
        if (entry.met % entry.rule.every !== 0) continue;
        const met = effectOf(entry, now());
        if (met === undefined) continue;
        entry.left -= 1;
        effects.push(met);
        if (met.kind !== 'delay') break;
      }
      return effects;
    },
  };
}

function isAbout({ subject, content }: z.output<typeof rule>, topic: CallTopic): boolean {
  return (
    (subject === undefined || topic.subject?.includes(subject) === true) &&
    (content === undefined || topic.content?.includes(content) === true)
  );
}

/** A limit is an answer beyond it, and nothing within. */
function effectOf(entry: OpenRule, now: number): FaultEffect | undefined {
  const { effect: told } = entry.rule;
  if (told.kind !== 'limit') return told;
  entry.passedAt = entry.passedAt.filter((at) => at > now - 1000);
  if (entry.passedAt.length >= told.callsPerSecond) {
    return { kind: 'answer', status: 429, body: '', headers: told.headers };
  }
  entry.passedAt.push(now);
  return undefined;
}
