/**
 * Real documents of every kind on the whole road, with the real small model, and the questions about them. The manual
 * of 400 pages takes minutes to embed on a small machine; `bench/documents` takes it along.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  fixtureDocuments,
  ingestFixture,
  isAnswered,
  questionsAbout,
} from '../support/labelled.ts';
import type { Person, Seen } from '../support/person.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE_MS = 300_000;
/** The model is small and some questions are asked in quite other words than the passage. */
const FOUND_AT_LEAST = 0.9;

const names = Object.keys(fixtureDocuments).filter((name) => name !== 'irs-manual-400-pages.pdf');

let database: TestDatabase;
let stack: Stack;
let me: Person;
const ends = new Map<string, Seen>();
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    embeddings: 'minilm',
  });
  await stack.worker.start();
  me = await stack.person();
  await Promise.all(names.map(async (name) => ends.set(name, await ingestFixture(me, name))));
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await database.close();
});

test.each(names)('%s is complete, with every page', (name) => {
  const end = ends.get(name);
  expect(end).toMatchObject({ status: 'complete', pages: fixtureDocuments[name] });
  expect(end?.chunks).toBeGreaterThan(0);
});

test('questions find their passage among the first five of all documents', async () => {
  const questions = questionsAbout(names);
  const missed: string[] = [];
  for (const label of questions) {
    if (!(await isAnswered(me, label))) missed.push(`${label.document}: ${label.question}`);
  }
  expect(questions.length).toBeGreaterThan(70);
  expect(missed.length / questions.length, missed.join('\n')).toBeLessThan(1 - FOUND_AT_LEAST);
});
