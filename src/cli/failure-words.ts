/** Why a command failed, in words: what happened, whose turn it is, what to do. */
import { type ErrorCode, errorCodes, type IntakeError, type Turn } from '../domain/errors.ts';
import { turnWords } from './document-words.ts';
import { plainText } from './plain-text.ts';

/** Codes whose sentence is an envelope for the detail. */
const toldByDetail: ReadonlySet<ErrorCode> = new Set(['INVALID_REQUEST', 'CONFIGURATION_INVALID']);

const remedies: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'set INTAKE_TOKEN to a fresh access token',
  OPERATORS_ONLY: 'an operator’s token in INTAKE_TOKEN, see docs/operators.md',
  NOT_FOUND: 'see `intake list`',
  NOT_POSSIBLE_NOW: 'see `intake status ID`',
  UPLOAD_QUOTA_EXCEEDED: 'see `intake list --status awaiting_upload`',
  NOT_RUNNING: 'start it with `npm start` in its folder, or correct INTAKE_URL',
  SERVICE_UNAVAILABLE: 'if it stays so, see whether INTAKE_URL is right',
};

/** A failure as plain data: what JSON shows of it, the same for every command. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly turn: Turn;
  readonly detail?: string;
}

export function failureOf({ code, message, turn, detail }: IntakeError): Failure {
  return { code, message, turn, ...(detail === undefined ? {} : { detail }) };
}

/** What happened. */
export function describeFailure({ code, message, detail }: Failure): string {
  if (detail === undefined) return message;
  return toldByDetail.has(code) ? detail : `${message}\n${detail}`;
}

/** Whose turn it is, and what to do; nothing where the detail has said it all. */
export function remedyOf({ code, turn, detail }: Failure): string | undefined {
  if (toldByDetail.has(code) && detail !== undefined) return undefined;
  const remedy = remedies[code];
  if (remedy !== undefined) return `${turnWords[turn]}: ${remedy}`;
  return turn === 'user' ? undefined : `${turnWords[turn]}: ${errorCodes[code].hint}`;
}

/** A command that could not be done. */
export function describeRefusal(error: IntakeError): string {
  const failure = failureOf(error);
  const wait = error.retryAfterMs ?? 0;
  const lines = [
    `intake: ${describeFailure(failure)}`,
    wait > 0 ? `Try again in ${Math.ceil(wait / 1000)} s.` : remedyOf(failure),
  ];
  return plainText(lines.filter((line) => line !== undefined).join('\n')).replaceAll('\n', '\n  ');
}
