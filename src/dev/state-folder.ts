/** `.intake` in the clone: everything the local stack keeps. Git ignores it; deleting it starts afresh. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';

export interface StateFolder {
  readonly root: string;
  /** pid and URLs of the supervisor at work. */
  readonly pidFile: string;
  /** Children at work, for the next start to clean up after a killed supervisor. */
  readonly childrenFile: string;
  readonly portsFile: string;
  readonly secretsFile: string;
  /** The development user's token, for the CLI and for curl. */
  readonly tokenFile: string;
  /** Settings of API and worker, for operators' commands. */
  readonly environmentFile: string;
  /** A Temporal profile that says nothing, in place of the one in the person's home folder. */
  readonly temporalProfileFile: string;
  logFile(child: string): string;
  dataPath(part: string): string;
}

export function stateFolder(root: string): StateFolder {
  // Entered by the user that Postgres runs as, and listed by nobody else.
  for (const path of [root, join(root, 'data'), join(root, 'logs')]) {
    mkdirSync(path, { recursive: true, mode: 0o711 });
  }
  return {
    root,
    pidFile: join(root, 'up.pid'),
    childrenFile: join(root, 'children.json'),
    portsFile: join(root, 'state.json'),
    secretsFile: join(root, 'secrets.json'),
    tokenFile: join(root, 'token'),
    environmentFile: join(root, 'environment.json'),
    temporalProfileFile: join(root, 'temporal.toml'),
    logFile: (child) => join(root, 'logs', `${child}.log`),
    dataPath: (part) => join(root, 'data', part),
  };
}

/** Reads a JSON file of ours; `undefined` when it is absent. */
export function readJson<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): z.output<Schema> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw unreadable(file, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Replaces the file as a whole; only its owner can read it. */
export function writePrivately(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  rmSync(draft, { force: true });
  createPrivately(draft, text);
  renameSync(draft, file);
}

/** False when the file is there already. */
export function createPrivately(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function unreadable(file: string, cause: unknown): IntakeError {
  return new IntakeError('CONFIGURATION_INVALID', {
    detail: `${file} cannot be read. Mend or delete it, then start again.`,
    cause,
  });
}
