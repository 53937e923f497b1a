/**
 * What operators may ask of a document, whichever way they ask: a Temporal update, the API, the command line. The run
 * checks their words with the same functions as the API does.
 */
import type { ErrorCode } from './errors.ts';
import { isTerminal, type Stage, type Status } from './ingestion.ts';

export const updateNames = {
  poll: 'pollParser',
  extend: 'extendDeadline',
  fail: 'failDocument',
} as const;
export const queryNames = { explain: 'explain', timeline: 'timeline' } as const;

/** Who asks, in their own word: nobody proves it. */
export interface Asked {
  readonly actor: string;
}

export interface ExtendRequest extends Asked {
  /** The new deadline, ISO 8601. */
  readonly until: string;
}

export interface FailRequest extends Asked {
  readonly reason: string;
}

/** What every update answers: a sentence, and the facts in it. */
export interface OperatorAnswer {
  readonly answer: string;
  readonly parser?: 'pending' | 'ended' | 'no answer';
  readonly deadline?: string;
}

/** How a document stands, as its run tells it. */
export interface Standing {
  readonly words: string;
  readonly stage: Stage;
  readonly since: string;
  /** Which look or poll of the run's own this is. */
  readonly round?: number | undefined;
  readonly lastError?: ErrorCode | undefined;
  readonly next?: string | undefined;
  readonly deadline?: string | undefined;
  readonly parseJobId?: string | undefined;
  readonly turn: string;
}

/** `actor` is kept in the timeline for good, so it is a short name and no address. */
export function actorFault(actor: unknown): string | undefined {
  return typeof actor === 'string' && /^[a-z0-9][a-z0-9._-]{0,39}$/i.test(actor)
    ? undefined
    : 'actor: needed. Say who asks, in your own word (letters, digits, `.`, `_`, `-`; at most 40). The timeline keeps it, marked as self-declared.';
}

/** Said to the owner too. */
export function reasonFault(reason: unknown): string | undefined {
  return typeof reason === 'string' && /^[^\p{C}\p{Zl}\p{Zp}@]{3,200}$/u.test(reason)
    ? undefined
    : 'reason: needed, 3 to 200 characters on one line, without addresses. The owner reads it in the timeline.';
}

const day = 24 * 3_600_000;
/** A wait that is longer than this has become a grave. */
const LONGEST_EXTENSION_MS = 30 * day;

/** A deadline is moved away, never nearer: `fail` is for that. The same one again is no fault. */
export function untilFault(
  until: unknown,
  { nowMs, deadlineMs = 0 }: { readonly nowMs: number; readonly deadlineMs?: number | undefined },
): string | undefined {
  const untilMs = typeof until === 'string' ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(untilMs)) return 'until: needed, an instant such as 2026-11-24T23:00:00Z.';
  if (untilMs <= nowMs) return 'until: it has passed.';
  if (untilMs < deadlineMs) {
    return `until: the deadline is ${new Date(deadlineMs).toISOString()} already; it is extended, never brought nearer.`;
  }
  return untilMs > nowMs + LONGEST_EXTENSION_MS ? 'until: at most 30 days from now.' : undefined;
}

/** What can be pressed. */
export type Button = 'upload' | 'poll' | 'extend' | 'fail' | 'cancel' | 'retry';

interface Pressable {
  readonly status: Status;
  /** Its bytes are verified, so that it can go on without a new upload. */
  readonly verified: boolean;
  /** Its parse job is with the parser. */
  readonly withParser: boolean;
}

/** The first is the one to press. */
export function buttonsFor({ status, verified, withParser }: Pressable): readonly Button[] {
  if (status === 'complete') return [];
  if (isTerminal(status)) return mayRetry({ status, verified }) ? ['retry'] : ['upload'];
  if (status === 'awaiting_upload') return ['upload', 'extend', 'cancel', 'fail'];
  return withParser ? ['poll', 'extend', 'fail', 'cancel'] : ['extend', 'fail', 'cancel'];
}

/** Without verified bytes there is nothing to go on from, unless it was storage that failed. */
export function mayRetry({ status, verified }: Pick<Pressable, 'status' | 'verified'>): boolean {
  return isTerminal(status) && status !== 'complete' && (verified || status === 'failed_storage');
}
