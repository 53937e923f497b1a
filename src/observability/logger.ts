/**
 * One structured logger for application and Temporal. Callers log codes, counts, ids and durations;
 * the redaction list below is a net for what must never get there, not a licence to log it.
 */
import { type Logger, pino } from 'pino';
import { correlationFields } from './correlation.ts';

export type { Logger } from 'pino';

const redacted = [
  'authorization',
  'headers',
  'token',
  'url',
  'name',
  'filename',
  'email',
  'text',
  'markdown',
].flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** `service` names the process (api, worker, …) in every line. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: '[redacted]' },
    serializers: { err: describeError },
    mixin: correlationFields,
  });
}

/** Type, code and stack of an error, without messages of foreign errors: those may quote input. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  const ours = error.name === 'IntakeError';
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(ours && typeof detail === 'string' ? { detail } : {}),
    ...(ours ? {} : { stack: stackWithoutMessage(error) }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

function stackWithoutMessage(error: Error): string | undefined {
  return error.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .join('\n');
}
