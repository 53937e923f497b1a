/** A handful of crash points, where most can go wrong; `npm run chaos` tries them all. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crashAt, recordLife } from './crash-points.ts';
import { type Ground, layGround } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
}, 120_000);
afterAll(() => ground.close());

test('a document asks every outside party for something, and two documents ask for the same', async () => {
  const first = await recordLife(ground);
  const labels = new Set(first.map(({ label }) => label.split(' ')[0]));
  expect([...labels].toSorted()).toEqual(['embedding', 'parser', 'sql', 'storage', 'temporal']);
  const names = (points: typeof first) => new Set(points.map(({ label }) => label));
  expect(names(await recordLife(ground))).toEqual(names(first));
});

test.each([
  ['just before', 'before', 'temporal RespondWorkflowTaskCompleted', 2],
  ['just after', 'unanswered', 'parser POST /api/v2/parse', 1],
  ['just after', 'unanswered', 'embedding POST /v1/embeddings', 2],
  ['just before', 'before', 'sql commit attempts documents generations', 1],
] as const)('killed %s (%s) %s, number %i', async (_words, side, label, occurrence) => {
  const { wrong } = await crashAt(ground, { label, occurrence }, side);
  expect(wrong).toEqual([]);
});
