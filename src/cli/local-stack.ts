/** The stack that `intake up` runs in this folder, by the files that it leaves there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';

export interface LocalStack {
  readonly url: string;
  /** The development user's; absent where Supabase was given. */
  readonly token: string | undefined;
}

const supervisor = z.object({
  pid: z.number().int().positive(),
  /** Absent until the stack is ready. */
  urls: z.object({ api: z.string() }).optional(),
});

export const stateFolder = join(import.meta.dirname, '../../.intake');

/** `undefined` when none is running. */
export function findLocalStack(folder: string): LocalStack | undefined {
  const holder = readFile(join(folder, 'up.pid'));
  if (holder === undefined) return undefined;
  const { pid, urls } = supervisor.parse(JSON.parse(holder));
  if (!isAlive(pid)) return undefined;
  if (urls === undefined) {
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: 'The local stack of this folder is starting and not ready yet.',
    });
  }
  return { url: urls.api, token: readFile(join(folder, 'token'))?.trim() };
}

/** Settings of API and worker of the stack that runs; `undefined` when none does. */
export function findLocalSettings(folder: string): NodeJS.ProcessEnv | undefined {
  if (findLocalStack(folder) === undefined) return undefined;
  const text = readFile(join(folder, 'environment.json'));
  return text === undefined ? undefined : z.record(z.string(), z.string()).parse(JSON.parse(text));
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new IntakeError('CONFIGURATION_INVALID', {
      detail: `${path} cannot be read (${code}). Does the local stack belong to another user?`,
      cause: error,
    });
  }
}

/** A pid that another program has by now leads to an address that does not answer, and no further. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
