/** One of the laboratory's races on real processes: the control loses it and Intake does not. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { RaceResult } from '../../bench/lab/races.ts';

const LIMIT_MS = 180_000;

test('two workers with one job: the original pays twice, Intake once', {
  timeout: LIMIT_MS,
}, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['bench/lab/main.ts', 'races', 'stale-job', '--json'],
    { timeout: LIMIT_MS },
  );
  const { races } = JSON.parse(stdout) as { races: readonly RaceResult[] };
  const [race] = races;
  expect(race?.sides.control?.lost).toBeGreaterThan(0);
  expect(race?.sides.intake).toMatchObject({ documents: 4, lost: 0 });
});
