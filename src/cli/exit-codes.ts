/** How a command ends, as data: what scripts may rely on, and what `--help` shows. */
import { type ErrorCode, errorCodes } from '../domain/errors.ts';
import { isTerminal } from '../domain/ingestion.ts';
import type { DocumentDetail } from './api-client.ts';

export const exitCodes = {
  done: 0,
  unexpected: 1,
  misused: 2,
  userTurn: 3,
  failed: 4,
  unknown: 5,
  unavailable: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings = {
  0: 'done; the documents are complete, or on their road where nobody waits',
  1: 'unexpected; the stack trace is for us',
  2: 'wrong arguments, files or settings; nothing was sent',
  3: 'your turn: rejected, expired, protected, cancelled, over a quota, not possible now',
  4: 'failed on our side or at a provider; `intake retry` may help',
  5: 'not found, not yours, or not signed in',
  6: 'Intake does not answer or is busy; try again later',
  130: 'interrupted; what was sent goes on',
} as const satisfies Record<ExitCode, string>;

/** Codes that mean something else to a script than whose turn it is. */
const ownMeaning: Partial<Record<ErrorCode, ExitCode>> = {
  INTERNAL_ERROR: exitCodes.unexpected,
  INVALID_REQUEST: exitCodes.misused,
  CONFIGURATION_INVALID: exitCodes.misused,
  UNAUTHENTICATED: exitCodes.unknown,
  OPERATORS_ONLY: exitCodes.unknown,
  NOT_FOUND: exitCodes.unknown,
  RATE_LIMITED: exitCodes.unavailable,
  NOT_RUNNING: exitCodes.unavailable,
};

/** Of a command that failed with `code`. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  const { turn, retryable } = errorCodes[code];
  if (ownMeaning[code] !== undefined) return ownMeaning[code];
  if (turn === 'user') return exitCodes.userTurn;
  return retryable ? exitCodes.unavailable : exitCodes.failed;
}

/** Of a command that saw the document last like this. */
export function exitCodeOfDocument({
  status,
  error,
}: Pick<DocumentDetail, 'status' | 'error'>): ExitCode {
  if (status === 'complete' || !isTerminal(status)) return exitCodes.done;
  return error === undefined || error.turn === 'user' ? exitCodes.userTurn : exitCodes.failed;
}
