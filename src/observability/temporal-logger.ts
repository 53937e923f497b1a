/** Temporal's SDK and Core log through our logger: one format, one level, one redaction. */
import { DefaultLogger, type LogEntry, type LogLevel } from '@temporalio/worker';
import type { Logger } from './logger.ts';

const levels = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const;

export function temporalLogger(logger: Logger, least: LogLevel = 'INFO'): DefaultLogger {
  return new DefaultLogger(least, ({ level, message, meta }: LogEntry) => {
    // A task token lets its holder answer for the task.
    const { error, taskToken: _taskToken, ...rest } = meta ?? {};
    logger[levels[level]](
      { ...rest, ...(error === undefined ? {} : { err: error }), sdk: true },
      message,
    );
  });
}
