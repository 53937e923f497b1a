/**
 * verify: the object is copied to a fresh private key for which no URL was ever issued; the copy's size, SHA-256 and
 * sniffed type must be the declared ones. Idempotent by the attempt's status: a repeated call finds it verified.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { advance, type Attempt, countLook } from '../src/db/attempts.ts';
import { markRemoved, reserveOriginalKey, uploadKeys } from '../src/db/objects.ts';
import { recordVerified } from '../src/db/versions.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { inspectFile } from '../src/parsing/inspect-file.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import type { AttemptRef, VerifyResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function verifyUpload(dependencies: ActivityDependencies, ref: AttemptRef): Promise<VerifyResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, keys } = await scope.hold(async (transaction, held) => {
      await countLook(transaction, held.id);
      return { attempt: held, keys: await uploadKeys(transaction, held.id) };
    });
    const { version } = attempt;
    if (attempt.status !== 'awaiting_upload') return { sizeBytes: version.sizeBytes };

    const originalKey = await privateCopy(dependencies, attempt, { keys, signal: scope.signal });
    try {
      await compareWithDeclared(dependencies, version, { originalKey, signal: scope.signal });
    } catch (error) {
      if (error instanceof IntakeError && !error.retryable) await sweep(dependencies, [originalKey], scope);
      throw error;
    }
    await scope.hold(async (transaction, held) => {
      await recordVerified(transaction, version.id, originalKey);
      await advance(transaction, held, ['awaiting_upload', 'uploaded']);
    });
    await sweep(dependencies, keys, scope);
    return { sizeBytes: version.sizeBytes };
  });
}

/** Copies the newest upload that is there. The private key is written down first: a repeated copy meets 409 and is hashed anyway. */
async function privateCopy(
  { pool, objectStore }: ActivityDependencies,
  attempt: Attempt,
  { keys, signal }: { readonly keys: readonly string[]; readonly signal: AbortSignal },
): Promise<string> {
  const uploadKey = await firstPresent(keys, (key) => objectStore.stat(key, signal));
  const originalKey = await reserveOriginalKey(pool, { ...attempt, attemptId: attempt.id });
  await objectStore.copy(uploadKey, originalKey, signal);
  return originalKey;
}

async function firstPresent(keys: readonly string[], look: (key: string) => Promise<unknown>): Promise<string> {
  for (const key of keys) {
    try {
      await look(key);
      return key;
    } catch (error) {
      if (!(error instanceof IntakeError) || error.code !== 'STORAGE_OBJECT_ABSENT') throw error;
    }
  }
  throw new IntakeError('STORAGE_OBJECT_ABSENT', { detail: `${keys.length} upload keys looked at` });
}

/** Streams the copy to a local file, hashing on the way, and inspects it there. Throws the named refusal. */
async function compareWithDeclared(
  { objectStore, limits }: ActivityDependencies,
  declared: Attempt['version'],
  { originalKey, signal }: { readonly originalKey: string; readonly signal: AbortSignal },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-verify-'));
  try {
    const path = join(folder, 'original');
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    const body = await objectStore.read(originalKey, { maxBytes: limits.maxFileBytes, signal });
    await pipeline(body, measure, createWriteStream(path), { signal });
    if (sizeBytes === 0) throw new IntakeError('EMPTY_FILE');
    if (sizeBytes !== declared.sizeBytes) throw new IntakeError('DECLARATION_MISMATCH', { detail: 'size differs' });
    if (hash.digest('hex') !== declared.sha256) throw new IntakeError('DECLARATION_MISMATCH', { detail: 'SHA-256 differs' });
    await inspectFile(path, declared.mediaType, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what nobody needs any more. Failing is no failure of the document: reconciliation and erasure sweep again. */
async function sweep(
  { pool, objectStore, logger }: ActivityDependencies,
  keys: readonly string[],
  { signal }: AttemptScope,
): Promise<void> {
  try {
    await objectStore.remove(keys, signal);
    await markRemoved(pool, keys);
  } catch (error) {
    logger.warn({ err: error, objects: keys.length }, 'objects left for a later sweep');
  }
}
