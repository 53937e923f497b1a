/** `intake up`: the whole of Intake on this machine, in one terminal, until Ctrl-C. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IntakeError } from '../domain/errors.ts';
import { sample } from './main-job.ts';
import { performJob, printJson } from './perform-job.ts';
import { claimClone, type Holder } from './pid-file.ts';
import { runStack } from './run-stack.ts';
import { stateFolder } from './state-folder.ts';
import { createScreen } from './up-screen.ts';
import type { Session, UpOptions } from './up-session.ts';

export type { UpOptions } from './up-session.ts';

/** Resolves with the exit code when nothing of the stack runs any more; the caller ends the process with it. */
export async function up(options: UpOptions): Promise<number> {
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
    const errorCode = error instanceof IntakeError ? error.code : 'INTERNAL_ERROR';
    if (options.json) printJson({ documents: [], question: null, answer: null, errorCode });
    return 1;
  }
}

/** A second start in the same clone gives its work to the first. */
async function joinRunning(session: Session, { pid, urls }: Holder): Promise<number> {
  const { options, screen, folder } = session;
  if (urls === undefined) {
    throw new IntakeError('NOT_POSSIBLE_NOW', {
      detail: `Another start is at work in this folder (process ${pid}) and not ready yet.`,
    });
  }
  screen.line(`Intake is running already in this folder (process ${pid}).`);
  if (!options.once && options.files.length === 0) {
    screen.addresses(urls, { tokenFile: folder.tokenFile });
    return 0;
  }
  const token = readFileSync(folder.tokenFile, 'utf8').trim();
  const done = await performJob(session, { urls, token, files: [sample.path, ...options.files] });
  return done ? 0 : 1;
}

/** npm runs scripts in the project's folder and keeps the caller's in INIT_CWD. */
function absolutePath(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), file);
}

function assertReadable(files: readonly string[]): void {
  const faults = files.filter((file) => {
    try {
      accessSync(file, constants.R_OK);
      return false;
    } catch {
      return true;
    }
  });
  if (faults.length === 0) return;
  throw new IntakeError('INVALID_REQUEST', {
    detail: faults.map((file) => `${file}: there is no such file, or it cannot be read`).join('\n'),
  });
}
