/** What becomes of a document of the original system, by what its rows prove. Pure. */
import type { OriginalDocument, OriginalJob } from '../db/original.ts';
import { type ErrorCode, isErrorCode } from '../domain/errors.ts';
import type { Stage, TerminalStatus } from '../domain/ingestion.ts';
import { isOwn, keyOf } from './object-path.ts';

/** Why; for the report. */
export const reasons = {
  searchable: 'searchable at once: chunks and vectors are taken over',
  ended: 'as it had ended; its bytes are compared with their hash',
  unfinished: 'starts again from its bytes: the original had not finished it',
  'not-proven':
    'starts again from its bytes: it is called complete and has not a vector for each chunk',
  'of-another': 'starts again from its bytes: its text was copied from another person’s document',
  unknown: 'starts again from its bytes: no job tells how it stands',
  'no-hash':
    'will be asked for again: what it has for a hash is no SHA-256, so its bytes prove nothing',
  present: 'nothing: Intake has it',
} as const satisfies Record<string, string>;
export type Reason = keyof typeof reasons;

export type Fate =
  | { readonly kind: 'present' | 'again'; readonly reason: Reason }
  | {
      readonly kind: 'ended';
      readonly reason: Reason;
      readonly job: OriginalJob;
      readonly status: TerminalStatus;
      readonly failure:
        | { readonly stage: Stage; readonly code: ErrorCode; readonly detail: string | undefined }
        | undefined;
    };

/** How the original could end, and in which stage that was. It called every failure `failed_parse`. */
const ends = {
  complete: undefined,
  duplicate: undefined,
  failed_parse: 'parse',
  failed_chunking: 'chunk',
  failed_embedding: 'embed',
} as const satisfies Partial<Record<TerminalStatus, Stage | undefined>>;

const unfinished: ReadonlySet<string> = new Set([
  'uploaded',
  'parse_queued',
  'parsed',
  'parse_validated',
  'chunking',
  'chunks_stored',
  'embedding_queued',
  'embedding_in_progress',
  'embeddings_stored',
]);

export function fateOf(document: OriginalDocument): Fate {
  const { job, chunks, present } = document;
  if (present) return { kind: 'present', reason: 'present' };
  const status = job?.status;
  if (job === undefined || status === undefined || !isEnd(status)) {
    return again(
      document,
      status !== undefined && unfinished.has(status) ? 'unfinished' : 'unknown',
    );
  }
  const stage = ends[status];
  if (stage !== undefined) {
    const detail = codeIn(job.lastError);
    const failure = { stage, code: 'FAILED_BEFORE_UPGRADE', detail } as const;
    return { kind: 'ended', reason: 'ended', job, status, failure };
  }
  if (isCopied(document)) return again(document, 'of-another');
  const isWhole = chunks?.whole === true;
  if (status === 'complete' && !isWhole) return again(document, 'not-proven');
  return {
    kind: 'ended',
    reason: isWhole ? 'searchable' : 'ended',
    job,
    status,
    failure: undefined,
  };
}

function again({ sha256 }: OriginalDocument, reason: Reason): Fate {
  return { kind: 'again', reason: isSha256(sha256) ? reason : 'no-hash' };
}

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text);
}

function isEnd(status: string): status is keyof typeof ends {
  return Object.hasOwn(ends, status);
}

/**
 * Whoever declared a known hash got the other person's text and vectors at once. Only bytes of their own prove that it is
 * theirs as well, and these are verified on the road.
 */
function isCopied(document: OriginalDocument): boolean {
  const key = document.parsedPath === undefined ? undefined : keyOf(document.parsedPath);
  return key !== undefined && !isOwn(key, document);
}

/** The first of our codes in what the original stored, in one of four shapes; nothing else of it may be kept. */
function codeIn(lastError: string): string | undefined {
  return lastError.match(/[A-Z][A-Z0-9_]{5,}/g)?.find(isErrorCode);
}
