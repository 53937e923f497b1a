/** The few figures that the tables need. */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const Z_95 = 1.959964;

/** Wilson's interval of a share, at 95%: it stays within 0 and 1, and says something when nothing failed. */
export function wilson(successes: number, trials: number): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const z2 = Z_95 ** 2;
  const middle = share + z2 / (2 * trials);
  const margin = Z_95 * Math.sqrt((share * (1 - share) + z2 / (4 * trials)) / trials);
  const scale = 1 + z2 / trials;
  return {
    low: Math.max(0, (middle - margin) / scale),
    high: Math.min(1, (middle + margin) / scale),
  };
}

/** The value that this share of them does not exceed; `undefined` without any. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
