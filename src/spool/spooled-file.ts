/** Content on its way, kept in a private file for as long as one piece of work needs it, counted and hashed as it comes. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntakeError } from '../domain/errors.ts';

/** Process numbers mean something on one host only, while a folder for temporary files may be shared. */
const PREFIX = `intake-spool-${hostname()}-`;

export interface SpooledFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Runs `work` with the file, which is gone afterwards. A full disk is `SERVICE_UNAVAILABLE`; errors of the stream pass. */
export async function withSpooledFile<Result>(
  content: Readable,
  work: (file: SpooledFile) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    return await work(await spool(content, join(folder, 'content'), signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spool(
  content: Readable,
  path: string,
  signal: AbortSignal | undefined,
): Promise<SpooledFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(content, measure, createWriteStream(path), signal ? { signal } : {});
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw new IntakeError('SERVICE_UNAVAILABLE', { detail: 'no room on the disk', cause: error });
    }
    throw error;
  }
  return { path, sizeBytes, sha256: hash.digest('hex') };
}

/** What killed processes left behind: nothing of a document stays on a disk of ours. */
export async function sweepSpool(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = Number.parseInt(name.slice(PREFIX.length), 10);
    if (pid > 0 && !isAlive(pid)) {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else's is alive all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
