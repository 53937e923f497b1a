/** What became of journeys: plain facts, and the lines that a person reads. */
import type { DocumentDetail } from './api-client.ts';
import { describeStanding, nextStep, styleOf } from './document-words.ts';
import { describeFailure, type Failure, failureOf, remedyOf } from './failure-words.ts';
import type { Journey } from './journey.ts';
import { oneLine } from './plain-text.ts';
import type { Terminal } from './terminal.ts';

export interface Report {
  readonly label: string;
  readonly seconds: number;
  readonly documentId: string | null;
  readonly document: DocumentDetail | null;
  readonly failure: Failure | null;
}

export function reportOf(journey: Journey): Report {
  const { label, begunAtMs, seenAtMs, documentId, document, failure } = journey;
  return {
    label,
    seconds: Math.round(((seenAtMs ?? Date.now()) - begunAtMs) / 100) / 10,
    documentId: documentId ?? null,
    document: document ?? null,
    failure: failure === undefined ? null : failureOf(failure),
  };
}

/** A line each, and another one where something is left to do. */
export function describeReports({ paint }: Pick<Terminal, 'paint'>) {
  return (reports: readonly Report[]): string => {
    const width = Math.max(...reports.map(({ label }) => label.length));
    return reports
      .flatMap(({ label, documentId, document, failure }) => {
        const { standing, next } = wordsOf({ documentId, document, failure }, paint);
        const head = [(documentId ?? '-').padEnd(36), oneLine(label).padEnd(width), standing];
        return next === undefined
          ? [head.join('  ')]
          : [head.join('  '), `  ${paint('dim', next)}`];
      })
      .join('\n');
  };
}

function wordsOf(
  { documentId, document, failure }: Pick<Report, 'documentId' | 'document' | 'failure'>,
  paint: Terminal['paint'],
): { readonly standing: string; readonly next: string | undefined } {
  if (failure !== null) {
    return { standing: paint('red', oneLine(describeFailure(failure))), next: remedyOf(failure) };
  }
  if (document === null) {
    return { standing: documentId === null ? 'not sent' : 'not looked at', next: undefined };
  }
  return {
    standing: paint(styleOf(document), describeStanding(document)),
    next: document.status === 'complete' ? undefined : nextStep(document),
  };
}

/** What `ingest --json` and `up --json` tell of a file. */
export function fileInJson({ label, documentId, document, failure, seconds }: Report) {
  return {
    file: label,
    id: documentId,
    status: document?.status ?? null,
    pages: document?.pages ?? null,
    chunks: document?.chunks ?? null,
    seconds,
    errorCode: failure?.code ?? document?.error?.code ?? null,
    runUrl: document?.links.temporalRun ?? null,
  };
}
