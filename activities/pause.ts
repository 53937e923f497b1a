/**
 * How long a document rests between two tries of one activity while somebody is out of order. Temporal's own backoff counts
 * tries, whatever made them fail: a parser's blip after a long outage of storage would cost minutes. So the pause follows the
 * trouble at hand: half as long again as that has lasted, within the longest pause of the activity's policy.
 */
import { activityInfo } from '@temporalio/activity';

const FIRST_PAUSE_MS = 500;

/** Where the database is away, nobody knows how long the trouble has lasted; and it is ours, so asking often hurts nobody. */
export const UNKNOWN_TROUBLE_MS = 4_000;

/** Those that were stopped together do not come back together. */
const JITTER = 0.25;

export function pauseAfter(troubledForMs: number, longestMs: number, random = Math.random): number {
  const pauseMs = Math.min(Math.max(troubledForMs / 2, FIRST_PAUSE_MS), longestMs);
  return Math.round(pauseMs * (1 + JITTER * random()));
}

/** The longest pause of an activity that is tried until its deadline; `undefined` where tries are counted. */
export function longestPauseMs(): number | undefined {
  const { retryPolicy } = activityInfo();
  if (retryPolicy === undefined || (retryPolicy.maximumAttempts ?? 0) > 0) return undefined;
  return Number(retryPolicy.maximumInterval ?? FIRST_PAUSE_MS);
}
