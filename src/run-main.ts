/** The last boundary of a process: an error before or behind everything else is said in words, once, and ends it. */
import { errorCodes, IntakeError } from './domain/errors.ts';

export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof IntakeError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { hint } = errorCodes[error.code];
  return [`${error.code}: ${error.message}`, ...(error.detail ? [error.detail] : []), hint].join(
    '\n',
  );
}
