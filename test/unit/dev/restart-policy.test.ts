import { expect, test } from 'vitest';
import { judgeDeath } from '../../../src/dev/restart-policy.ts';

test('the first death is answered at once, the next ones with growing pauses', () => {
  const deaths = [0, 1_000, 2_000, 4_000, 7_000];
  const delays = deaths.map((_, index) => judgeDeath(deaths.slice(0, index + 1)));
  const pauses = delays.map((verdict) => (verdict.action === 'restart' ? verdict.delayMs : -1));
  expect(pauses[0]).toBe(0);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(new Set(pauses).size).toBe(pauses.length);
});

test('the sixth death within a minute is the last', () => {
  expect(judgeDeath([0, 1, 2, 3, 4, 59_999])).toEqual({ action: 'give-up' });
});

test('deaths of more than a minute ago are forgotten', () => {
  expect(judgeDeath([0, 1, 2, 3, 4, 60_005])).toEqual({ action: 'restart', delayMs: 0 });
});
