/**
 * `node bench/documents/main.ts`: all the documents of the fixtures at once on the whole road, the manual of 400 pages
 * included, with the real small model; then every question about them. Takes minutes on a small machine.
 */
import { availableParallelism, loadavg } from 'node:os';
import {
  fixtureDocuments,
  ingestFixture,
  isAnswered,
  questionsAbout,
} from '../../test/support/labelled.ts';
import type { LabelledQuestion } from '../../test/support/labelled-questions.ts';
import { type Stack, startStack } from '../../test/support/stack.ts';
import { withServers } from '../servers.ts';

await withServers(async ({ databaseUrl, temporalAddress }) => {
  const stack = await startStack({ databaseUrl, temporalAddress, embeddings: 'minilm' });
  try {
    await ask(stack);
  } finally {
    await stack.close();
  }
});

async function ask(stack: Stack): Promise<void> {
  await stack.worker.start();
  const person = await stack.person();
  const names = Object.keys(fixtureDocuments);
  const startedAt = performance.now();
  const ids = new Map<string, string>();
  await Promise.all(
    names.map(async (name) => {
      const { documentId, status, pages, chunks } = await ingestFixture(person, name);
      ids.set(name, documentId);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${name.padEnd(38)}${status}, ${pages} pages, ${chunks} chunks, ${seconds} s`);
    }),
  );
  const questions = questionsAbout(names);
  const missed: LabelledQuestion[] = [];
  const missedInItsOwn: LabelledQuestion[] = [];
  for (const label of questions) {
    const own = [ids.get(label.document) ?? ''];
    if (!(await isAnswered(person, label, own))) missedInItsOwn.push(label);
    if (!(await isAnswered(person, label))) missed.push(label);
  }
  console.log(`Passage among the first five, of ${questions.length} questions:`);
  report('when their own document is asked', questions, missedInItsOwn);
  report('when all are', questions, missed);
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
  );
}

function report(
  when: string,
  questions: readonly LabelledQuestion[],
  missed: readonly LabelledQuestion[],
): void {
  console.log(`  ${questions.length - missed.length} ${when}. Not:`);
  for (const { document, question } of missed) console.log(`    ${document}: ${question}`);
}
