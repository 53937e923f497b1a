/** `intake up`: the whole of Intake on this machine, in one terminal, until Ctrl-C. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ExitCode, exitCodeOf, exitCodes } from '../cli/exit-codes.ts';
import { failureOf } from '../cli/failure-words.ts';
import { assertReadable } from '../cli/ingest-files.ts';
import { IntakeError } from '../domain/errors.ts';
import { sample } from './main-job.ts';
import { performJob, printJson } from './perform-job.ts';
import { claimClone, type Holder } from './pid-file.ts';
import { runStack } from './run-stack.ts';
import { type StateFolder, stateFolder } from './state-folder.ts';
import { createScreen } from './up-screen.ts';
import type { Session, UpOptions } from './up-session.ts';

/** Resolves with the exit code when nothing of the stack runs any more; the caller ends the process with it. */
export async function up(options: UpOptions): Promise<ExitCode> {
  const screen = createScreen(options.json ? process.stderr : process.stdout);
  try {
    const files = options.files.map(absolutePath);
    assertReadable(files);
    const folder = stateFolder(join(import.meta.dirname, '../../.intake'));
    const session = { options: { ...options, files }, folder, screen };
    const claim = claimClone(folder.pidFile);
    if (!claim.held) return await joinRunning(session, claim.by);
    try {
      return await runStack(session, claim.publish);
    } finally {
      claim.release();
    }
  } catch (error) {
    screen.failed(error);
    const failure = error instanceof IntakeError ? error : new IntakeError('INTERNAL_ERROR');
    if (options.json) {
      printJson({ documents: [], question: null, answer: null, error: failureOf(failure) });
    }
    return exitCodeOf(failure.code);
  }
}

/** A second start in the same clone gives its work to the first. */
async function joinRunning(session: Session, { pid, urls }: Holder): Promise<ExitCode> {
  const { options, screen, folder } = session;
  if (urls === undefined) {
    throw new IntakeError('NOT_POSSIBLE_NOW', {
      detail: `Another start is at work in this folder (process ${pid}) and not ready yet.`,
    });
  }
  screen.line(`Intake is running already in this folder (process ${pid}).`);
  if (!options.once && options.files.length === 0) {
    screen.addresses(urls, { tokenFile: folder.tokenFile });
    return exitCodes.done;
  }
  const token = tokenFor(folder);
  const files = [sample.path, ...options.files];
  return performJob(session, { urls, token, files, staysUp: true });
}

/** The development user's, else the caller's own where Supabase was given. */
function tokenFor({ tokenFile }: StateFolder): string {
  if (existsSync(tokenFile)) return readFileSync(tokenFile, 'utf8').trim();
  const token = process.env['INTAKE_TOKEN'];
  if (token) return token;
  throw new IntakeError('CONFIGURATION_INVALID', {
    detail:
      'INTAKE_TOKEN: the running stack uses a Supabase of yours and needs a user’s access token.',
  });
}

/** npm runs scripts in the project's folder and keeps the caller's in INIT_CWD. */
function absolutePath(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), file);
}
