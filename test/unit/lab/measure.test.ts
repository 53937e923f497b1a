/** The oracle: every way in which a document can end, against what was due to it. */
import { describe, expect, test } from 'vitest';
import {
  compareTimes,
  endedAsDue,
  figuresOf,
  judge,
  type Outcome,
} from '../../../bench/lab/measure.ts';
import type { Visit } from '../../../bench/lab/person.ts';
import { planDocument } from '../../../bench/lab/scenario.ts';
import type { Seen } from '../../../bench/lab/side.ts';

const plan = planDocument(1, { seed: 'oracle', side: 'intake', faultShare: 0 });
const visit: Visit = {
  plan,
  documentId: 'd',
  sentAtMs: 1_000,
  storedAtMs: 1_100,
  refused: undefined,
};
const complete: Seen = {
  status: 'complete',
  end: 'searchable',
  code: undefined,
  endedAtMs: 3_000,
  texts: [`about ${plan.word}`, `more about ${plan.word}`],
};
const failed = (code: string): Seen => ({
  ...complete,
  status: 'failed',
  end: 'failed',
  code,
  texts: [],
});

function outcomeOf(seen: Seen | undefined, changes: Partial<Visit> = {}, paid = 1): Outcome {
  const call = { operation: 'parse.paid', subject: `pjb-1 ${plan.sha256}`, at: '', status: 200 };
  const [outcome] = judge(
    {
      name: 'intake',
      visits: [{ ...visit, ...changes }],
      seen: new Map(seen === undefined ? [] : [['d', seen]]),
    },
    Array.from({ length: paid }, () => call),
  );
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

test('searchable by its own words, counted from the first byte', () => {
  expect(outcomeOf(complete)).toMatchObject({ end: 'searchable', searchableAfterMs: 2_000 });
});

test.each([
  ['nothing to search', []],
  ["another document's words", ['about lab0123456789ab']],
  ['a mixture', [...complete.texts, 'about lab0123456789ab']],
])('complete with %s is no success', (_what, texts) => {
  expect(endedAsDue(outcomeOf({ ...complete, texts }))).toBe(false);
});

describe('blame', () => {
  test('is false when the bytes were there', () => {
    const outcome = outcomeOf(failed('STORAGE_ACCESS_ERROR'));
    expect(outcome).toMatchObject({ toldNotAccessible: true, falselyBlamed: true });
  });

  test('is premature, and not false, before they came', () => {
    const outcome = outcomeOf(failed('STORAGE_ACCESS_ERROR'), { storedAtMs: 5_000 });
    expect(outcome).toMatchObject({ toldNotAccessible: true, falselyBlamed: false });
  });

  test('is right when they never came', () => {
    const due = { ...plan, due: 'not accessible' as const };
    const outcome = outcomeOf(failed('UPLOAD_EXPIRED'), { plan: due });
    expect([outcome.falselyBlamed, endedAsDue(outcome)]).toEqual([false, true]);
  });

  test('comes from a refused upload too', () => {
    const refused = '500 {"detail":"Upload failed: … file is not accessible"}';
    const open: Seen = { ...complete, status: '', end: 'open', endedAtMs: undefined, texts: [] };
    expect(outcomeOf(open, { refused, storedAtMs: undefined })).toMatchObject({
      end: 'refused',
      toldNotAccessible: true,
      falselyBlamed: true,
    });
  });
});

test('a table counts each document once', () => {
  const outcomes = [
    outcomeOf(complete),
    outcomeOf(complete, {}, 2),
    outcomeOf(failed('STORAGE_ACCESS_ERROR')),
    outcomeOf(failed('JOB_PROCESSING_FAILED')),
    outcomeOf({ ...complete, status: 'parse_queued', end: 'open', texts: [] }),
  ];
  expect(figuresOf('control', outcomes)).toMatchObject({
    recoverable: 5,
    searchable: 2,
    notAccessible: 1,
    falselyBlamed: 1,
    failedOtherwise: 1,
    stuck: 1,
    doubled: 1,
  });
});

test('times are compared on documents that both brought home', () => {
  const slower = outcomeOf({ ...complete, endedAtMs: 5_000 });
  const lost = { ...slower, plan: { ...plan, number: 2 }, searchableAfterMs: undefined };
  const ours = [outcomeOf(complete), { ...outcomeOf(complete), plan: { ...plan, number: 2 } }];
  expect(compareTimes(ours, [slower, lost])).toEqual({ pairs: 1, ratio: 0.5 });
});
