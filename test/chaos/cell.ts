/** One thing tried on a ground, and what came of it. */
import type { Seen } from '../support/person.ts';
import type { Ground } from './ground.ts';
import { judge } from './judge.ts';
import type { Violation } from './oracle/oracle.ts';

export interface Cell {
  readonly group: string;
  readonly name: string;
  run(ground: Ground): Promise<Outcome>;
}

export interface Outcome {
  /** From the end of the fault until work went on; absent where nothing was left to do. */
  readonly recoveryMs: number | undefined;
  /** Of that, a killed process's own start. */
  readonly readyMs?: number | undefined;
  /** What should not be so: the oracle's violations, an end that is not `complete`, a fault that met nothing. */
  readonly wrong: readonly string[];
}

export interface Result extends Outcome {
  readonly group: string;
  readonly name: string;
}

/** Inputs of one sub-batch, which a fault may keep from being written once the embedder has answered. */
export const SUB_BATCH = 4;

interface Story {
  readonly ownerId: string;
  readonly end: Seen;
  readonly isStruck: boolean;
  readonly mayRepeat: number;
}

/** A document that was struck must be complete in its one attempt, and every invariant must hold. */
export async function wrongIn(ground: Ground, story: Story): Promise<readonly string[]> {
  const { ownerId, end, isStruck, mayRepeat } = story;
  const violations = await judge(ground, { owners: [ownerId], mayRepeat: () => mayRepeat });
  return [
    ...(isStruck ? [] : ['the fault met nothing']),
    ...(end.status === 'complete' ? [] : [`ended as ${end.status}`]),
    ...(end.attempts.length === 1 ? [] : [`${end.attempts.length} attempts`]),
    ...inWords(ground, violations),
  ];
}

/** A part that ends by itself is no fault of ours. */
export function inWords(ground: Ground, violations: readonly Violation[]): readonly string[] {
  return [
    ...ground.endedByThemselves().map((target) => `${target} has ended by itself`),
    ...violations.map(({ invariant, check, what }) => `${invariant}. ${check}: ${what}`),
  ];
}
