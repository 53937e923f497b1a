/** Questions about the test documents, each with words that stand in the passage that answers it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const fixtures = new URL('../fixtures/', import.meta.url);

const labelled = z.strictObject({
  document: z.string(),
  /** Pages on which those words stand. */
  pages: z.array(z.int().min(1)).min(1),
  question: z.string(),
  expect: z.string(),
});
export type LabelledQuestion = z.output<typeof labelled>;

export function labelledQuestions(): readonly LabelledQuestion[] {
  const file = new URL('search/questions.json', fixtures);
  return z.array(labelled).parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function fixturePath(document: string): string {
  return new URL(`documents/${document}`, fixtures).pathname;
}

/** Converters differ in tables, emphasis and blanks, but not in letters and digits. */
export function lettersOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
