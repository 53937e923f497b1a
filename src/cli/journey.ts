/** A document's road as one command sees it, filled in as it goes: whoever is interrupted tells what is known so far. */
import { IntakeError } from '../domain/errors.ts';
import type { ApiClient, DocumentDetail } from './api-client.ts';
import { connectToFollow } from './connection.ts';
import type { DocumentProgress } from './document-progress.ts';
import { describeStanding } from './document-words.ts';
import { type ExitCode, exitCodeOf, exitCodeOfDocument, exitCodes } from './exit-codes.ts';
import { describeFailure, failureOf } from './failure-words.ts';
import { followDocument } from './ingest-file.ts';
import type { Terminal } from './terminal.ts';

export interface Journey {
  /** Names the document for the person who asked. */
  readonly label: string;
  begunAtMs: number;
  /** Absent until the document is on its way. */
  documentId?: string;
  /** As it was seen last. */
  document?: DocumentDetail;
  /** How it stood last, where no more may be seen of it. */
  standing?: string;
  seenAtMs?: number;
  /** Why no more is known. */
  failure?: IntakeError;
}

/** What a journey needs on its way. */
export interface Guide {
  readonly client: ApiClient;
  readonly progress: DocumentProgress;
  /** Says why nothing moves, and does not repeat itself soon. */
  readonly notice: (sentence: string) => void;
}

const SILENCE_MS = 30_000;

/** For as many documents as there are journeys. */
export async function findGuide(terminal: Terminal, journeys: number): Promise<Guide> {
  const progress = terminal.progress(journeys);
  let saidAtMs = 0;
  const notice = (sentence: string) => {
    if (Date.now() - saidAtMs < SILENCE_MS) return;
    saidAtMs = Date.now();
    progress.log(sentence);
  };
  return { client: await connectToFollow(notice), progress, notice };
}

export function journeyOf(label: string, documentId?: string): Journey {
  return { label, begunAtMs: Date.now(), ...(documentId === undefined ? {} : { documentId }) };
}

export async function follow({ client, progress }: Guide, journey: Journey): Promise<void> {
  const { label, documentId } = journey;
  if (documentId === undefined) return;
  await noting(journey, progress, async () => {
    const last = await followDocument(client, documentId, (seen) => {
      sight(journey, seen);
      progress.show(label, seen);
    });
    progress.end(label, describeStanding(last));
  });
}

export function sight(journey: Journey, document: DocumentDetail): void {
  journey.document = document;
  journey.seenAtMs = Date.now();
}

/** A failure is an outcome as well, and stops no other journey. */
export async function noting(
  journey: Journey,
  progress: DocumentProgress,
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof IntakeError)) throw error;
    journey.failure = error;
    progress.end(journey.label, describeFailure(failureOf(error)));
  }
}

/** Waits for `work`, unless the person leaves before. */
export async function accompany(
  terminal: Terminal,
  { progress }: Guide,
  { journeys, work }: { readonly journeys: readonly Journey[]; readonly work: Promise<unknown> },
): Promise<void> {
  const end = await terminal.waitFor(work).finally(progress.stop);
  terminal.exitCode = end === 'done' ? exitCodeOfAll(journeys) : exitCodes.interrupted;
  if (end === 'interrupted') terminal.note('Interrupted. What was sent goes on without you.');
}

/** The highest counts. */
export function exitCodeOfAll(journeys: readonly Journey[]): ExitCode {
  const codes = journeys.map(({ document, failure }) => {
    if (failure !== undefined) return exitCodeOf(failure.code);
    return document === undefined ? exitCodes.done : exitCodeOfDocument(document);
  });
  return codes.reduce((worst, code) => (code > worst ? code : worst), exitCodes.done);
}
