/** The real documents of the fixtures and the questions about them, asked over HTTP. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import {
  fixturePath,
  isAnswer,
  type LabelledQuestion,
  labelledQuestions,
} from './labelled-questions.ts';
import { ended, type Person, type Seen, upload } from './person.ts';

/** By name, with their number of pages. */
export const fixtureDocuments: Readonly<Record<string, number>> = {
  'annual-report-page.html': 1,
  'federal-register-three-columns.pdf': 15,
  'health-coverage-application.pdf': 14,
  'invoice-borderless-table.pdf': 2,
  'irs-manual-400-pages.pdf': 400,
  'medical-report-scan.pdf': 3,
  'repair-invoice-multipage.pdf': 3,
  'tax-form-filled.pdf': 2,
  'word-document.docx': 2,
};

const types: Readonly<Record<string, string>> = {
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.html': 'text/html',
  '.pdf': 'application/pdf',
};

/** The manual of 400 pages on a small machine. */
const PATIENCE_MS = 900_000;

/** Puts a document on its road and waits for its end. */
export async function ingestFixture(person: Person, name: string): Promise<Seen> {
  const content = await readFile(fixturePath(name));
  const file = { name, type: types[extname(name)] ?? '', content };
  return ended(person, await upload(person, file), PATIENCE_MS);
}

interface Passage {
  readonly documentName: string;
  readonly text: string;
  readonly headingPath: readonly string[];
  readonly pageFrom: number;
  readonly pageTo: number;
}

/** The questions about these documents. */
export function questionsAbout(documents: readonly string[]): readonly LabelledQuestion[] {
  return labelledQuestions().filter(({ document }) => documents.includes(document));
}

/** Whether the passage that answers the question is among the first five: of all the person's documents, or of some. */
export async function isAnswered(
  person: Person,
  label: LabelledQuestion,
  documentIds?: readonly string[],
): Promise<boolean> {
  const { body } = await person.send<{ passages: readonly Passage[] }>('POST', '/v1/search', {
    json: { query: label.question, k: 5, documentIds },
  });
  return body.passages.some((passage) => answers(label, passage));
}

function answers(label: LabelledQuestion, passage: Passage): boolean {
  const { documentName, pageFrom: from, pageTo: to, headingPath, text } = passage;
  const quotation = { text: [...headingPath, text].join(' '), from, to };
  return documentName === label.document && isAnswer(label, quotation);
}
