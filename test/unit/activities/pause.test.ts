import { expect, test } from 'vitest';
import { pauseAfter } from '../../../activities/pause.ts';

const steady = () => 0;

test.each([
  ['new', 0, 500],
  ['a second old', 1_000, 500],
  ['ten seconds old', 10_000, 5_000],
  ['an hour old', 3_600_000, 20_000],
])('trouble that is %s', (_name, troubledForMs, pauseMs) => {
  expect(pauseAfter(troubledForMs, 20_000, steady)).toBe(pauseMs);
});

test('those that were stopped together come back at different moments', () => {
  const pauses = [0, 0.5, 0.999].map((drawn) => pauseAfter(10_000, 20_000, () => drawn));
  expect(new Set(pauses).size).toBe(3);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(6_250);
});
