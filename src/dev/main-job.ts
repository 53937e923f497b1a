/** What the local stack does once it is ready: files on their road, and a question answered from them. */
import { join, relative } from 'node:path';
import type { ApiClient, DocumentDetail, SearchAnswer } from '../cli/api-client.ts';
import type { DocumentProgress } from '../cli/document-progress.ts';
import { followDocument, sendFile } from '../cli/ingest-file.ts';
import { IntakeError } from '../domain/errors.ts';

export const sample = {
  path: join(import.meta.dirname, '../../examples/health-coverage-application.pdf'),
  question: 'How soon will I hear back after I send the application?',
};

const FILES_AT_A_TIME = 4;

export interface FileOutcome {
  readonly file: string;
  readonly id: string | null;
  readonly status: string | null;
  readonly pages: number | null;
  readonly chunks: number | null;
  readonly seconds: number;
  readonly errorCode: string | null;
  /** Its run in Temporal UI. */
  readonly runUrl: string | null;
}

export type Answer = SearchAnswer['passages'][number];

export interface JobOutcome {
  readonly documents: readonly FileOutcome[];
  readonly question: string | null;
  readonly answer: Answer | null;
}

/** Ingests the files, some at a time, then asks about the sample when it is among them and complete. */
export async function runMainJob(
  client: ApiClient,
  files: readonly string[],
  progress: DocumentProgress,
): Promise<JobOutcome> {
  const documents: FileOutcome[] = [];
  const queue = [...files.entries()];
  const takeNext = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, file] = next;
      documents[index] = await ingest(client, file, progress);
    }
  };
  try {
    await Promise.all(Array.from({ length: FILES_AT_A_TIME }, takeNext));
  } finally {
    progress.stop();
  }
  const about = documents.find(({ file, status }) => file === sample.path && status === 'complete');
  if (about?.id == null) return { documents, question: null, answer: null };
  const { question } = sample;
  const { passages } = await client.search({ query: question, k: 1, documentIds: [about.id] });
  return { documents, question, answer: passages[0] ?? null };
}

/** Every file is complete, and the question found an answer. */
export function succeeded({ documents, question, answer }: JobOutcome): boolean {
  const complete = documents.every(({ status }) => status === 'complete');
  return documents.length > 0 && complete && (question === null || answer !== null);
}

/** A file that fails is an outcome as well, and stops no other. */
async function ingest(
  client: ApiClient,
  file: string,
  progress: DocumentProgress,
): Promise<FileOutcome> {
  const begunAtMs = Date.now();
  const elapsed = () => Number(((Date.now() - begunAtMs) / 1000).toFixed(1));
  const label = relative(process.cwd(), file);
  try {
    const id = await sendFile(client, file);
    let looks = 0;
    const document = await followDocument(client, id, (seen) => {
      looks += 1;
      progress.show(label, seen);
    });
    progress.end(label, lastWord(document, { knownBefore: looks === 1, seconds: elapsed() }));
    return {
      ...{ file, id, status: document.status },
      pages: document.pages ?? null,
      chunks: document.chunks ?? null,
      seconds: elapsed(),
      errorCode: document.error?.code ?? null,
      runUrl: document.links.temporalRun ?? null,
    };
  } catch (error) {
    const failure = error instanceof IntakeError ? error : new IntakeError('INTERNAL_ERROR');
    progress.end(label, [failure.message, failure.detail].filter(Boolean).join(' '));
    const nothing = { id: null, status: null, pages: null, chunks: null, runUrl: null };
    return { file, ...nothing, seconds: elapsed(), errorCode: failure.code };
  }
}

function lastWord(
  { status, pages, chunks, error }: DocumentDetail,
  { knownBefore, seconds }: { readonly knownBefore: boolean; readonly seconds: number },
): string {
  if (error !== undefined) return `${status}: ${error.message}`;
  if (status !== 'complete') return status;
  const size = `${pages ?? '?'} pages, ${chunks ?? '?'} chunks`;
  return knownBefore
    ? `complete since an earlier start: ${size}`
    : `complete: ${size}, ${seconds} s`;
}
