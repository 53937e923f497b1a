/** Follows a runbook to the letter: only commands that stand in it are run. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporalExecutable } from '../../src/dev/tools.ts';

const root = join(import.meta.dirname, '../..');

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Throws when the runbook has no such command. */
export function saidIn(name: string, command: string): void {
  const text = readFileSync(join(root, 'ops/runbooks', name), 'utf8');
  // Of the API it says "and the workers likewise".
  const said = [command, command.replace('src/worker/main.ts', 'src/api/main.ts')];
  if (!said.some((one) => text.includes(one))) throw new Error(`${name} does not say: ${command}`);
}

/** `environment` is what the runbook's variables stand for. */
export function followRunbook(name: string, environment: Readonly<Record<string, string>>) {
  return async (command: string): Promise<Outcome> => {
    saidIn(name, command);
    const intake = `intake() { "${process.execPath}" "${join(root, 'src/cli/main.ts')}" "$@"; }`;
    const PATH = `${dirname(temporalExecutable())}:${process.env['PATH'] ?? ''}`;
    return await promisify(execFile)('sh', ['-c', `${intake}\n${command}`], {
      env: { ...environment, PATH },
    }).then(
      (done) => ({ ...done, exitCode: 0 }),
      (failed: { stdout: string; stderr: string; code: number }) => ({
        stdout: failed.stdout,
        stderr: failed.stderr,
        exitCode: failed.code,
      }),
    );
  };
}
