/** The life of an attempt under any order of moves, failures and evidence. What is finite is tried out whole. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../../src/domain/errors.ts';
import {
  canMove,
  endedBy,
  initialStatus,
  isTerminal,
  moves,
  progressPercent,
  type RunningStatus,
  type Stage,
  type StartStage,
  type Status,
  stageOf,
  stages,
  startStageFor,
  statuses,
} from '../../../src/domain/ingestion.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
const running = statuses.filter((status): status is RunningStatus => !isTerminal(status));

/** A walk from a beginning by any legal moves, to its end: each number chooses among what is legal. */
const walks = fc
  .tuple(fc.constantFrom(...Object.values(initialStatus)), fc.infiniteStream(fc.nat()))
  .map(([beginning, choices]) => {
    const walk: Status[] = [beginning];
    for (const choice of choices) {
      const options: readonly Status[] = moves[walk.at(-1) ?? beginning];
      const next = options[choice % options.length];
      if (next === undefined) break;
      walk.push(next);
    }
    return walk;
  });

describe('any walk by legal moves', () => {
  test('ends, and only at a terminal status', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        expect(walk.filter(isTerminal)).toEqual(walk.slice(-1));
      }),
    );
  });

  test('passes no status twice, and its progress never falls', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        expect(new Set(walk).size).toBe(walk.length);
        const progress = walk.flatMap((status) =>
          status in progressPercent ? [progressPercent[status as RunningStatus]] : [],
        );
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        const worked = walk.filter((status): status is RunningStatus => !isTerminal(status));
        const order = worked.map((status) => stages.indexOf(stageOf[status]));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('every code at every running status', () => {
  const cases = running.flatMap((status) => codes.map((code) => ({ status, code })));

  test('brings the attempt to an end by a legal move', () => {
    const illegal = cases.filter(({ status, code }) => {
      const end = endedBy(code, status);
      return !isTerminal(end) || !canMove(status, end);
    });
    expect(cases.length).toBeGreaterThan(running.length);
    expect(illegal).toEqual([]);
  });

  test('is an end by will only when somebody willed it, and never a success', () => {
    for (const { status, code } of cases) {
      const end = endedBy(code, status);
      expect(end === 'cancelled').toBe(code === 'CANCELLED');
      expect(end === 'deleted').toBe(code === 'DOCUMENT_DELETED');
      expect(end).not.toBe('complete');
    }
  });

  test('asks for another upload only while the bytes are not verified', () => {
    const asks = cases.filter(({ status, code }) =>
      ['upload_expired', 'upload_rejected'].includes(endedBy(code, status)),
    );
    expect(new Set(asks.map(({ status }) => status))).toEqual(new Set(['awaiting_upload']));
  });
});

describe('where a new attempt starts, for all evidence', () => {
  const order: readonly StartStage[] = ['verify', 'parse', 'collect', 'embed'];
  const ends: readonly (Stage | undefined)[] = [undefined, ...stages];
  const evidence = ends.flatMap((failedStage) =>
    [false, true].flatMap((verified) =>
      [false, true].map((parsed) => ({ verified, parsed, failedStage })),
    ),
  );

  const place = (given: (typeof evidence)[number]) => order.indexOf(startStageFor(given));

  test('nothing that is missing is passed over', () => {
    for (const given of evidence.filter(({ verified }) => !verified)) {
      expect(startStageFor(given)).toBe('verify');
    }
    for (const given of evidence.filter(({ parsed }) => !parsed)) {
      expect(place(given)).toBeLessThanOrEqual(order.indexOf('parse'));
    }
  });

  test('nothing that is there is done again, and more evidence never starts earlier', () => {
    for (const given of evidence.filter(({ verified }) => verified)) {
      expect(place(given)).toBeGreaterThanOrEqual(order.indexOf('parse'));
      expect(place({ ...given, parsed: true })).toBeGreaterThan(order.indexOf('parse'));
    }
    for (const given of evidence) {
      expect(place({ ...given, verified: true })).toBeGreaterThanOrEqual(place(given));
      expect(place({ ...given, parsed: true })).toBeGreaterThanOrEqual(place(given));
    }
  });
});
