/** When a child that died is started again: at once, then with growing pauses, and five times a minute at most. */

export type Verdict =
  | { readonly action: 'restart'; readonly delayMs: number }
  | { readonly action: 'give-up' };

const WINDOW_MS = 60_000;
const PAUSES_MS = [0, 250, 1_000, 2_000, 4_000];

/** `deathsAtMs`: when this child died, the present death last. */
export function judgeDeath(deathsAtMs: readonly number[]): Verdict {
  const now = deathsAtMs.at(-1) ?? 0;
  const recent = deathsAtMs.filter((at) => at > now - WINDOW_MS).length;
  const delayMs = PAUSES_MS[recent - 1];
  return delayMs === undefined ? { action: 'give-up' } : { action: 'restart', delayMs };
}
