/**
 * verify: the object is copied to a fresh private key for which no URL was ever issued; the copy's size, SHA-256 and
 * sniffed type must be the declared ones. Idempotent by the attempt's status: a repeated call finds it verified.
 */
import { type Attempt, advance, countLook } from '../src/db/attempts.ts';
import { markRemoved, reserveOriginalKey, uploadKeys } from '../src/db/objects.ts';
import { recordVerified } from '../src/db/versions.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { defaultInspectLimits, inspectFile } from '../src/parsing/inspect-file.ts';
import { type SpooledFile, withSpooledFile } from '../src/spool/spooled-file.ts';
import { withAttempt } from './attempt-scope.ts';
import type { AttemptRef, VerifyResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function verifyUpload(
  dependencies: ActivityDependencies,
  ref: AttemptRef,
): Promise<VerifyResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, keys } = await scope.hold(async (transaction, held) => {
      const [uploads] = await Promise.all([
        uploadKeys(transaction, held.documentId),
        countLook(transaction, held.id),
      ]);
      return { attempt: held, keys: uploads };
    });
    const { version } = attempt;
    if (attempt.status !== 'awaiting_upload') return { sizeBytes: version.sizeBytes };

    const originalKey = await firstGoodCopy(dependencies, { attempt, keys, signal: scope.signal });
    await scope.hold(async (transaction, held) => {
      await Promise.all([
        recordVerified(transaction, version, originalKey),
        advance(transaction, held, ['uploaded']),
      ]);
    });
    await sweep(dependencies, keys, scope.signal);
    return { sizeBytes: version.sizeBytes };
  });
}

interface Look {
  readonly attempt: Attempt;
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
}

/** The private copy of the first upload that is what was declared. None there is absent; only wrong ones is the refusal. */
async function firstGoodCopy(dependencies: ActivityDependencies, look: Look): Promise<string> {
  const { attempt, keys, signal } = look;
  let refusal: IntakeError | undefined;
  for (const uploadKey of keys) {
    const originalKey = await privateCopy(dependencies, uploadKey, look);
    if (originalKey === undefined) continue;
    try {
      await compareWithDeclared(dependencies, attempt.version, { originalKey, signal });
      return originalKey;
    } catch (error) {
      if (!(error instanceof IntakeError) || error.retryable) throw error;
      refusal = error;
      await sweep(dependencies, [uploadKey, originalKey], signal);
    }
  }
  throw (
    refusal ??
    new IntakeError('STORAGE_OBJECT_ABSENT', { detail: `${keys.length} upload keys looked at` })
  );
}

/** `undefined` when nothing was uploaded there. The private key is written down before the copy, so that erasure finds it. */
async function privateCopy(
  { pool, objectStore }: ActivityDependencies,
  uploadKey: string,
  { attempt, signal }: Look,
): Promise<string | undefined> {
  try {
    await objectStore.stat(uploadKey, signal);
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'STORAGE_OBJECT_ABSENT') return undefined;
    throw error;
  }
  const originalKey = await reserveOriginalKey(pool, { ...attempt, attemptId: attempt.id });
  await objectStore.copy(uploadKey, originalKey, signal);
  return originalKey;
}

/** Inspects the copy in a local file. A refusal must be seen twice: bytes garbled on the way are storage's fault. */
async function compareWithDeclared(
  { objectStore, limits }: ActivityDependencies,
  declared: Attempt['version'],
  { originalKey, signal }: { readonly originalKey: string; readonly signal: AbortSignal },
): Promise<void> {
  const download = async <Result>(work: (file: SpooledFile) => Promise<Result>) => {
    const content = await objectStore.read(originalKey, { maxBytes: limits.maxFileBytes, signal });
    return await withSpooledFile(content, work, signal);
  };
  const isDeclared = (file: SpooledFile) =>
    file.sizeBytes === declared.sizeBytes && file.sha256 === declared.sha256;
  const received = await download(async (file) => {
    if (isDeclared(file))
      await inspectFile(file.path, declared, {
        ...defaultInspectLimits,
        maxFileBytes: limits.maxFileBytes,
      });
    return file;
  });
  if (isDeclared(received)) return;
  if ((await download(async ({ sha256 }) => sha256)) !== received.sha256) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'two reads differ' });
  }
  if (received.sizeBytes === 0) throw new IntakeError('EMPTY_FILE');
  const detail = received.sizeBytes === declared.sizeBytes ? 'SHA-256 differs' : 'size differs';
  throw new IntakeError('DECLARATION_MISMATCH', { detail });
}

/** Done with these keys. That an object stays is no failure of the document: erasure sweeps every key again. */
async function sweep(
  { pool, objectStore, logger }: ActivityDependencies,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const removed = objectStore.remove(keys, signal).catch((error: unknown) => {
    logger.warn({ err: error, objects: keys.length }, 'objects left for a later sweep');
  });
  await Promise.all([markRemoved(pool, keys), removed]);
}
