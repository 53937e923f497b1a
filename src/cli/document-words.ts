/** A document in words: how it stands, whose turn it is, what to type. */
import { errorCodes, isErrorCode, type Turn } from '../domain/errors.ts';
import { isTerminal } from '../domain/ingestion.ts';
import type { DocumentDetail } from './api-client.ts';
import { oneLine } from './plain-text.ts';
import type { Style } from './terminal.ts';

export const turnWords = {
  user: 'Your turn',
  us: 'Our turn',
  provider: 'The provider’s turn',
} as const satisfies Record<Turn, string>;

type Standing = Pick<
  DocumentDetail,
  'status' | 'error' | 'waiting' | 'confirmedAt' | 'progressPercent' | 'pages' | 'chunks'
>;

export function describeStanding(document: Standing): string {
  const { status, error, waiting, progressPercent } = document;
  if (error !== undefined) return `${status}: ${error.message}`;
  if (status === 'complete') {
    return `complete: ${count(document.pages, 'page')}, ${count(document.chunks, 'chunk')}`;
  }
  if (isTerminal(status)) return status;
  const place = `${status}, ${progressPercent ?? 0} %`;
  if (waiting !== undefined) return `${place}: ${waiting.message}`;
  const sent = status === 'awaiting_upload' && document.confirmedAt !== undefined;
  return sent ? `${place}: sent, being verified` : place;
}

/** The one thing to do now. */
export function nextStep(document: DocumentDetail): string {
  const { documentId, status, error, waiting } = document;
  if (status === 'complete') return `Ask it: intake search "…" --document ${documentId}`;
  if (!isTerminal(status)) {
    // The person's turn in a wait is to send the bytes, which joins the document that waits.
    if (waiting?.turn === 'user') return `${turnWords.user}: intake ingest FILE`;
    const turn = waiting === undefined ? '' : `${turnWords[waiting.turn]}. `;
    return `${turn}Look again: intake watch ${documentId}`;
  }
  const turn = error?.turn ?? 'user';
  if (turn !== 'user' || canGoOn(document)) {
    return `${turnWords[turn]}. Then: intake retry ${documentId}`;
  }
  return `${turnWords[turn]}: intake ingest FILE`;
}

/** It was stopped after its bytes had been verified. */
function canGoOn({ status, timeline }: DocumentDetail): boolean {
  return status === 'cancelled' && timeline.some((event) => event.status === 'uploaded');
}

/** What an operator should know about a failure that is not the user's. */
export function operatorHint(failure: DocumentDetail['error']): string | undefined {
  if (failure === undefined || failure.turn === 'user' || !isErrorCode(failure.code)) {
    return undefined;
  }
  return errorCodes[failure.code].hint;
}

export function styleOf({ status, waiting }: Pick<Standing, 'status' | 'waiting'>): Style {
  if (status === 'complete') return 'green';
  if (isTerminal(status)) return 'red';
  return waiting === undefined ? 'bold' : 'yellow';
}

/** Two documents may have the same name. */
export function labelOf({ name, documentId }: Pick<DocumentDetail, 'name' | 'documentId'>): string {
  return `${oneLine(name)} (${documentId.slice(0, 8)})`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const unit = bytes < 1_000_000 ? 'kB' : 'MB';
  return `${(bytes / (unit === 'kB' ? 1000 : 1_000_000)).toFixed(1)} ${unit}`;
}

/** Local time; the Swedish way of writing it is ISO's. */
export function formatTime(instant: string): string {
  return new Date(instant).toLocaleString('sv-SE');
}

/** Roughly: how long people say it is. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function ordinal(number: number): string {
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(number);
  return `${number}${ending[rule as keyof typeof ending]}`;
}

function count(number: number | undefined, noun: string): string {
  return `${number ?? '?'} ${noun}${number === 1 ? '' : 's'}`;
}
