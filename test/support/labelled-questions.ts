/** Questions about the test documents, each with words that stand in the passage that answers it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const fixtures = new URL('../fixtures/', import.meta.url);

const answer = z.strictObject({
  /** Pages on which those words stand. */
  pages: z.array(z.int().min(1)).min(1),
  expect: z.string(),
});

const labelled = answer.extend({
  document: z.string(),
  question: z.string(),
  /** Other passages that answer it as well, and why they do. */
  also: z.array(answer.extend({ because: z.string() })).optional(),
});
export type LabelledQuestion = z.output<typeof labelled>;

export function labelledQuestions(): readonly LabelledQuestion[] {
  const file = new URL('search/questions.json', fixtures);
  return z.array(labelled).parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function fixturePath(document: string): string {
  return new URL(`documents/${document}`, fixtures).pathname;
}

interface Quotation {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Whether a text from these pages of the question's document answers it. */
export function isAnswer(label: LabelledQuestion, { text, from, to }: Quotation): boolean {
  const letters = lettersOf(text);
  return [label, ...(label.also ?? [])].some(
    ({ pages, expect }) =>
      pages.some((page) => from <= page && page <= to) && letters.includes(lettersOf(expect)),
  );
}

/** Converters differ in tables, emphasis and blanks, but not in letters and digits. */
function lettersOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
