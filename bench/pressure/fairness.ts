/** How long one person's document takes alone, and right behind another person's crowd. */
import type { Pool } from '../../src/db/pool.ts';
import { type Person, reach, upload } from '../../test/support/person.ts';
import type { Stack } from '../../test/support/stack.ts';

export interface Fairness {
  readonly crowd: number;
  /** What the parser takes for anybody's document. */
  readonly parserMs: number;
  /** Median of the single documents of a quiet system. */
  readonly quietMs: number;
  readonly besideCrowdMs: number;
  /** Of the crowd, still under way when the single document was through. */
  readonly crowdLeft: number;
}

const QUIET_ROUNDS = 5;
/** Uploads of the crowd under way at once. */
const LANES = 8;

export async function measureFairness(
  stack: Stack,
  pool: Pool,
  { crowd, parserMs }: Pick<Fairness, 'crowd' | 'parserMs'>,
): Promise<Fairness> {
  await stack.faults.parser.add({
    operation: 'parse.run',
    times: 'always',
    effect: { kind: 'delay', ms: parserMs },
  });
  const [many, single] = [await stack.person(), await stack.person()];
  const quiet: number[] = [];
  for (let round = 0; round < QUIET_ROUNDS; round += 1) quiet.push(await timeOf(single, round));
  const next = Array.from({ length: crowd }, (_, index) => index).values();
  const lane = async () => {
    for (const index of next) await upload(many, fileOf(index));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const besideCrowdMs = await timeOf(single, QUIET_ROUNDS);
  return {
    crowd,
    parserMs,
    quietMs: quiet.toSorted((a, b) => a - b)[Math.floor(QUIET_ROUNDS / 2)] ?? 0,
    besideCrowdMs,
    crowdLeft: await underWay(pool, many),
  };
}

function fileOf(index: number) {
  return { content: `# Policy ${index}\n\nThe copayment of visit ${index} is 20 dollars.\n` };
}

async function timeOf(person: Person, index: number): Promise<number> {
  const startedAt = performance.now();
  await reach(person, await upload(person, fileOf(index)), 'complete');
  return Math.round(performance.now() - startedAt);
}

async function underWay(pool: Pool, { ownerId }: Person): Promise<number> {
  const { rows } = await pool.query<{ open: number }>(
    'select count(*)::int as open from intake.attempts where owner_id = $1 and ended_at is null',
    [ownerId],
  );
  return rows[0]?.open ?? 0;
}
