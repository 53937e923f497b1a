/** One command from its arguments to its exit code: the one translation of errors to words and codes. */
import { type Command, CommanderError } from 'commander';
import { IntakeError } from '../domain/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { describeRefusal, failureOf } from './failure-words.ts';
import { plainText } from './plain-text.ts';
import { createTerminal, type Streams, type Terminal } from './terminal.ts';

/** Resolves with the exit code; the caller ends the process with it. */
export async function runCommand(
  createProgram: (terminal: Terminal) => Command,
  argv: readonly string[],
  streams: Streams,
): Promise<number> {
  const terminal = createTerminal(streams, asksForJson(argv));
  const program = createProgram(terminal);
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(`See: intake help${command === program ? '' : ` ${command.name()}`}`)
      .configureOutput({
        writeOut: (text) => void streams.stdout.write(text),
        writeErr: (text) => terminal.json || streams.stderr.write(plainText(text)),
      });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    return explain(error, terminal);
  }
}

/** Known before the arguments are understood, since their faults are told in JSON as well. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

function explain(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done; // help and version
    if (terminal.json) {
      const detail = error.message.replace(/^error: /, '');
      tell(new IntakeError('INVALID_REQUEST', { detail }), terminal);
    }
    return exitCodes.misused;
  }
  if (error instanceof IntakeError) {
    tell(error, terminal);
    return exitCodeOf(error.code);
  }
  terminal.note(plainText(`Unexpected: ${error instanceof Error ? error.stack : String(error)}`));
  if (terminal.json) tell(new IntakeError('INTERNAL_ERROR'), terminal);
  return exitCodes.unexpected;
}

function tell(error: IntakeError, terminal: Terminal): void {
  if (terminal.json) terminal.answer({ error: failureOf(error) }, () => '');
  else terminal.note(describeRefusal(error));
}
