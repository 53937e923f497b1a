import { expect, test } from 'vitest';
import { plannedLooks } from '../../../src/domain/run.ts';

test('looks come at doubling distances, the last at half of the upload’s life', () => {
  const twoHours = 7_200_000;
  const looks = plannedLooks(twoHours);
  expect(looks.at(-1)).toBe(twoHours / 2);
  for (const [index, look] of looks.slice(1).entries()) expect(look).toBe(2 * (looks[index] ?? 0));
});
