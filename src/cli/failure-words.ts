/** Why a command failed, in words: what happened, whose turn it is, what to do. */
import { type ErrorCode, errorCodes, type IntakeError } from '../domain/errors.ts';
import { turnWords } from './document-words.ts';
import { plainText } from './plain-text.ts';

/** Codes whose sentence is an envelope for the detail. */
const toldByDetail: ReadonlySet<ErrorCode> = new Set(['INVALID_REQUEST', 'CONFIGURATION_INVALID']);

const nextSteps: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'see `intake help`',
  UNAUTHENTICATED: 'set INTAKE_TOKEN to a fresh access token',
  NOT_FOUND: 'see `intake list`',
  NOT_POSSIBLE_NOW: 'see `intake status ID`',
  UPLOAD_QUOTA_EXCEEDED: 'see `intake list --status awaiting_upload`',
  SERVICE_UNAVAILABLE: 'see whether INTAKE_URL is right, or start the local stack with `npm start`',
};

/** One sentence. */
export function failureSentence({ code, message, detail }: IntakeError): string {
  return plainText(toldByDetail.has(code) && detail !== undefined ? detail : message);
}

export function describeFailure(error: IntakeError): string {
  const { code, turn, detail } = error;
  const rest = toldByDetail.has(code) ? [] : (detail?.split('\n') ?? []);
  return [
    `intake: ${indent(failureSentence(error))}`,
    ...rest.map((line) => `  ${plainText(line)}`),
    `  ${turnWords[turn]}: ${nextStep(error)}`,
  ].join('\n');
}

function nextStep({ code, turn, retryAfterMs }: IntakeError): string {
  if (retryAfterMs !== undefined) {
    return `the same command again in ${Math.ceil(retryAfterMs / 1000)} s`;
  }
  const step = nextSteps[code];
  if (step !== undefined) return step;
  return turn === 'user' ? 'see above' : errorCodes[code].hint;
}

/** The form of a failure in JSON, the same for every command. */
export function failureJson({ code, message, turn, detail }: IntakeError) {
  return { error: { code, message, turn, ...(detail === undefined ? {} : { detail }) } };
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n  ');
}
