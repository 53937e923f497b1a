/** What the local stack does once it is ready: files on their road, and a question answered from the sample. */
import { join, relative } from 'node:path';
import type { ApiClient, SearchAnswer } from '../cli/api-client.ts';
import type { DocumentProgress } from '../cli/document-progress.ts';
import { type ExitCode, exitCodes } from '../cli/exit-codes.ts';
import { ingestFiles } from '../cli/ingest-files.ts';
import { exitCodeOfAll, type Journey, journeyOf } from '../cli/journey.ts';

export const sample = {
  path: join(import.meta.dirname, '../../examples/health-coverage-application.pdf'),
  question: 'How do I appeal a decision?',
};

export type Answer = SearchAnswer['passages'][number];

export interface JobOutcome {
  /** In the order of the files. */
  readonly journeys: readonly Journey[];
  /** Absent when the sample was not to be ingested, or is not complete. */
  readonly question: string | undefined;
  readonly answer: Answer | undefined;
}

export async function runMainJob(
  client: ApiClient,
  files: readonly string[],
  progress: DocumentProgress,
): Promise<JobOutcome> {
  const onTheirWay = files.map((path) => {
    return { path, name: undefined, journey: journeyOf(relative(process.cwd(), path)) };
  });
  try {
    await ingestFiles({ client, progress, notice: progress.log }, onTheirWay, true);
  } finally {
    progress.stop();
  }
  const journeys = onTheirWay.map(({ journey }) => journey);
  const document = journeys[files.indexOf(sample.path)]?.document;
  if (document?.status !== 'complete') return { journeys, question: undefined, answer: undefined };
  const { question } = sample;
  const documentIds = [document.documentId];
  const { passages } = await client.search({ query: question, k: 1, documentIds });
  return { journeys, question, answer: passages[0] };
}

/** A complete sample that does not answer its question is a failure of ours. */
export function exitCodeOfJob({ journeys, question, answer }: JobOutcome): ExitCode {
  const unanswered = question !== undefined && answer === undefined;
  return unanswered ? exitCodes.failed : exitCodeOfAll(journeys);
}
