/** When a provider wants to be asked again. */

/** Whatever it says: a clock that is wrong must not stop every document for days. */
const LONGEST_PAUSE_MS = 3_600_000;

/** `retry-after-ms`, or `retry-after` in seconds or as a date; `undefined` for none and for what is neither. */
export function readRetryAfter(headers: Headers | undefined, now: Date): number | undefined {
  const milliseconds = headers?.get('retry-after-ms');
  const pauseMs = milliseconds
    ? Number(milliseconds)
    : readSecondsOrDate(headers?.get('retry-after'), now);
  return pauseMs >= 0 ? Math.min(Math.ceil(pauseMs), LONGEST_PAUSE_MS) : undefined;
}

function readSecondsOrDate(value: string | null | undefined, now: Date): number {
  if (!value) return Number.NaN;
  const seconds = Number(value);
  return Number.isNaN(seconds) ? Date.parse(value) - now.getTime() : seconds * 1000;
}
