import { describe, expect, test } from 'vitest';
import {
  canMove,
  closings,
  initialStatus,
  isTerminal,
  moves,
  type Stage,
  startStageFor,
  statuses,
} from '../../../src/domain/ingestion.ts';

describe('where a new attempt starts', () => {
  test.each([
    [false, false, undefined, 'verify'],
    [false, true, 'embed', 'verify'],
    [true, false, 'parse', 'parse'],
    [true, false, undefined, 'parse'],
    [true, true, 'collect', 'collect'],
    [true, true, 'chunk', 'collect'],
    [true, true, undefined, 'collect'],
    [true, true, 'embed', 'embed'],
    [true, true, 'complete', 'embed'],
  ] as const)('verified %s, parsed %s, ended in %s: %s', (verified, parsed, failedStage, stage) => {
    const evidence = { verified, parsed, failedStage: failedStage as Stage | undefined };
    expect(startStageFor(evidence)).toBe(stage);
  });
});

describe('the table of moves', () => {
  test('leads from every beginning to complete', () => {
    for (const beginning of Object.values(initialStatus)) {
      const seen = new Set<string>([beginning]);
      for (const from of seen) {
        for (const to of moves[from as keyof typeof moves]) seen.add(to);
      }
      expect(seen).toContain('complete');
    }
  });

  test('never leads back', () => {
    const allowed = statuses.flatMap((from) =>
      statuses.filter((to) => canMove(from, to)).map((to) => [from, to] as const),
    );
    expect(allowed.length).toBeGreaterThan(0);
    for (const [from, to] of allowed) {
      expect(statuses.indexOf(to)).toBeGreaterThan(statuses.indexOf(from));
    }
  });

  test('every end says how its run closes', () => {
    expect(Object.keys(closings).toSorted()).toEqual(statuses.filter(isTerminal).toSorted());
  });
});
