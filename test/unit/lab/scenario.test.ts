/** The laboratory's script: decided by its seed, the same for every side, and playable by the stand-ins. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plansFor } from '../../../bench/lab/experiment.ts';
import { faultKinds, outageRules, outages, partyOf } from '../../../bench/lab/fault-kinds.ts';
import { createRandom, uuidOf } from '../../../bench/lab/random.ts';
import { type DocumentPlan, planDocument } from '../../../bench/lab/scenario.ts';
import { forecast } from '../../../bench/lab/weather.ts';
import { startEmbeddingStandIn } from '../../../src/dev/embedding-stand-in/embedding-stand-in.ts';
import { createFaultClient } from '../../../src/dev/fault-client.ts';
import { startParserStandIn } from '../../../src/dev/parser-stand-in/parser-stand-in.ts';
import { startStorageStandIn } from '../../../src/dev/storage-stand-in/storage-stand-in.ts';

const options = { seed: 'a seed', side: 'intake', faultShare: 1 };
const script = (count: number, changes: Partial<typeof options> = {}) =>
  Array.from({ length: count }, (_, number) => planDocument(number, { ...options, ...changes }));

/** What befalls a document, without who it is. */
const fate = ({ bytesLateMs, confirm, deletedAfterMs, due, faults }: DocumentPlan) => ({
  bytesLateMs,
  confirm,
  deletedAfterMs,
  due,
  faults,
});

test('the same seed gives the same script, another one another', () => {
  expect(script(50)).toEqual(script(50));
  expect(script(50).map(fate)).not.toEqual(script(50, { seed: 'another' }).map(fate));
});

test('every side meets the same fates, with documents of its own', () => {
  const ours = script(50);
  const theirs = script(50, { side: 'control' });
  expect(theirs.map(fate)).toEqual(ours.map(fate));
  const contents = [...ours, ...theirs].map(({ sha256 }) => sha256);
  expect(new Set(contents).size).toBe(100);
});

test('every fault, every end and lateness up to a minute occur', () => {
  const plans = script(2_000);
  expect(new Set(plans.flatMap(({ faults }) => faults))).toEqual(
    new Set(faultKinds.map(({ name }) => name)),
  );
  expect(new Set(plans.map(({ due }) => due)).size).toBe(5);
  const late = plans.flatMap(({ bytesLateMs }) => bytesLateMs ?? []);
  expect(Math.min(...late)).toBe(0);
  expect(Math.max(...late)).toBeGreaterThan(55_000);
  expect(Math.max(...late)).toBeLessThanOrEqual(60_000);
});

test('what can be brought home has its bytes, its true hash and its row', () => {
  for (const plan of script(500).filter(({ due }) => due === 'searchable')) {
    expect(plan.bytesLateMs).toBeDefined();
    expect(plan.declaredSha256).toBe(plan.sha256);
    expect(plan.deletedAfterMs).toBeUndefined();
  }
});

test('without faults nothing befalls anybody', () => {
  const plans = script(100, { faultShare: 0 });
  expect(
    plans.every(
      ({ faults, due, bytesLateMs }) =>
        faults.length === 0 && due === 'searchable' && bytesLateMs === 0,
    ),
  ).toBe(true);
});

test('a side that meets every tenth document meets those that the others meet too', () => {
  const all = plansFor(200, options);
  const some = plansFor(20, { ...options, side: 'control', stride: 10 });
  expect(some.filter(({ due }) => due === 'searchable')).toHaveLength(20);
  const met = (plans: readonly DocumentPlan[]) =>
    plans.filter(({ number }) => number % 10 === 0 && number < 200).map(fate);
  expect(met(some)).toEqual(met(all));
});

test('the stand-ins can play every rule', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'intake-rules-'));
  const standIns = {
    storage: await startStorageStandIn({ dataFolder: join(folder, 'storage'), serviceKey: 'key' }),
    parser: await startParserStandIn({
      dataFolder: join(folder, 'parser'),
      apiKey: 'key',
      ocr: false,
    }),
    embedder: await startEmbeddingStandIn({ apiKey: 'key' }),
  };
  const target = { ownerId: uuidOf('owner'), sha256: 'a'.repeat(64), word: 'word' };
  for (const kind of faultKinds) {
    const client = createFaultClient(standIns[partyOf(kind.family)].url);
    await client.add(...kind.rules(target, createRandom(kind.name)));
  }
  for (const outage of outages) {
    await createFaultClient(standIns.storage.url).add(...outageRules(outage, 1_000));
  }
  await Promise.all(Object.values(standIns).map((standIn) => standIn.close()));
  await rm(folder, { recursive: true });
});

describe('weather', () => {
  test('outages follow each other with pauses, within the time', () => {
    const episodes = forecast('a seed', 600_000);
    expect(episodes.length).toBeGreaterThan(5);
    for (const [index, { atMs, forMs }] of episodes.entries()) {
      expect(atMs).toBeLessThan(600_000);
      expect(episodes[index + 1]?.atMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(atMs + forMs);
    }
  });
});
