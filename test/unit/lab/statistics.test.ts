import { expect, test } from 'vitest';
import { percentile, wilson } from '../../../bench/lab/statistics.ts';

test.each([
  // At the edges it is n / (n + z²) and z² / (n + z²); 8 of 10 is a textbook's example.
  [3_000, 3_000, 0.998721, 1],
  [8, 10, 0.490162, 0.943318],
  [0, 10, 0, 0.277533],
])('%i of %i', (successes, trials, low, high) => {
  const interval = wilson(successes, trials);
  expect(interval.low).toBeCloseTo(low, 5);
  expect(interval.high).toBeCloseTo(high, 5);
});

test('without trials nothing is known', () => {
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
});

test('percentiles are values that occurred', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 3, 5, 5]);
  expect(percentile([], 0.5)).toBeUndefined();
});
