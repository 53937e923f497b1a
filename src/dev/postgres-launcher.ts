/**
 * Postgres refuses to run as root. Where we are root it runs as another user, who must be able to reach both its
 * programs and its data; each way is tried and the first that works is taken.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { IntakeError } from '../domain/errors.ts';

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Launcher {
  /** Who must own the data. */
  readonly owner: number;
  wrap(program: string, args: readonly string[]): Command;
}

const NOBODY = 65_534;

/** Only what the programs need: PG* and locale variables of the caller would change them. */
const env = { PATH: process.env['PATH'] ?? '' };

const asOurselves: Launcher = {
  owner: process.getuid?.() ?? 0,
  wrap: (program, args) => ({ command: program, args, env }),
};

const waysForRoot: readonly Launcher[] = [
  {
    owner: NOBODY,
    wrap: (program, args) => ({ command: program, args, env, uid: NOBODY, gid: NOBODY }),
  },
  // Below a folder that only root may enter, such as /root: still root's rights, under another user's name.
  {
    owner: 0,
    wrap: (program, args) => ({
      command: 'unshare',
      args: ['--user', '--map-user=1000', '--map-group=1000', program, ...args],
      env,
    }),
  },
  // The same where user namespaces are refused, as in most containers.
  {
    owner: NOBODY,
    wrap: (program, args) => ({
      command: 'setpriv',
      args: [
        ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
        ...[
          '--securebits=+no_setuid_fixup',
          '--inh-caps=+dac_override',
          '--ambient-caps=+dac_override',
          program,
          ...args,
        ],
      ],
      env,
    }),
  },
];

/** `programs` is the folder of the executables, `parent` the one in which the data folder lies. */
export function postgresLauncher(programs: string, parent: string): Launcher {
  if (process.getuid?.() !== 0) return asOurselves;
  const launcher = waysForRoot.find((way) => reaches(way, join(programs, 'postgres'), parent));
  if (launcher === undefined) {
    throw new IntakeError('CONFIGURATION_INVALID', {
      detail:
        'Postgres does not run as root, and no other user can reach this folder: run as an ordinary user, move the project out of root’s home, or set DATABASE_URL.',
    });
  }
  return launcher;
}

/** Gives a file or folder, with all below it, to the launcher's user where it is not theirs already. */
export function giveTo(launcher: Launcher, path: string): void {
  if (process.getuid?.() !== 0 || lstatSync(path).uid === launcher.owner) return;
  spawnSync('chown', ['-R', `${launcher.owner}:${launcher.owner}`, path]);
}

function reaches(launcher: Launcher, program: string, parent: string): boolean {
  const script = '"$0" --version && cd "$1"';
  const { command, args, ...options } = launcher.wrap('/bin/sh', ['-c', script, program, parent]);
  return spawnSync(command, args, { ...options, stdio: 'ignore' }).status === 0;
}
