/**
 * verify: the object is copied to a fresh private key for which no URL was ever issued; the copy's size, SHA-256 and
 * sniffed type must be the declared ones. Idempotent by the attempt's status: a repeated call finds it verified.
 */
import { type Attempt, advance, countLook, recordRefusal } from '../src/db/attempts.ts';
import { markRemoved, reserveOriginalKey, uploadKeys } from '../src/db/objects.ts';
import type { Queryable } from '../src/db/pool.ts';
import { recordVerified } from '../src/db/versions.ts';
import { type ErrorCode, IntakeError } from '../src/domain/errors.ts';
import { defaultInspectLimits, inspectFile } from '../src/parsing/inspect-file.ts';
import { type SpooledFile, withSpooledFile } from '../src/spool/spooled-file.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import type { AttemptRef, VerifyResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function verifyUpload(
  dependencies: ActivityDependencies,
  ref: AttemptRef,
): Promise<VerifyResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, ...look } = await scope.hold(beginLook);
    const { version } = attempt;
    if (attempt.status !== 'awaiting_upload') return { sizeBytes: version.sizeBytes };

    const { keys } = look;
    const originalKey = await firstGoodCopy(dependencies, { attempt, ...look, scope });
    await scope.hold(async (transaction, held) => {
      await Promise.all([
        recordVerified(transaction, version, originalKey),
        markRemoved(transaction, keys),
        advance(transaction, held, ['uploaded']),
      ]);
    });
    await remove(dependencies, keys, scope);
    return { sizeBytes: version.sizeBytes };
  });
}

interface Look {
  readonly attempt: Attempt;
  readonly keys: readonly string[];
  /** The private key of the first copy. Written down before any copy is made, so that erasure finds them all. */
  readonly privateKey: string;
  readonly scope: AttemptScope;
}

async function beginLook(transaction: Queryable, attempt: Attempt): Promise<Omit<Look, 'scope'>> {
  const [keys, privateKey] = await Promise.all([
    uploadKeys(transaction, attempt.documentId),
    reservePrivateKey(transaction, attempt),
    countLook(transaction, attempt.id),
  ]);
  return { attempt, keys, privateKey };
}

function reservePrivateKey(transaction: Queryable, attempt: Attempt): Promise<string> {
  return reserveOriginalKey(transaction, { ...attempt, attemptId: attempt.id });
}

/** The private copy of the first upload that is what was declared. None there is absent; only wrong ones is the refusal. */
async function firstGoodCopy(dependencies: ActivityDependencies, look: Look): Promise<string> {
  const { attempt, keys, scope } = look;
  let refusedCode = attempt.refusedCode;
  let unused: string | undefined = look.privateKey;
  for (const uploadKey of keys) {
    const originalKey: string = unused ?? (await scope.hold(reservePrivateKey));
    unused = originalKey;
    if (!(await isCopied(dependencies, { uploadKey, originalKey }, scope))) continue;
    const code = await refusalOf(dependencies, { uploadKey, originalKey }, look);
    if (code === undefined) return originalKey;
    refusedCode = code;
    unused = undefined;
  }
  if (refusedCode !== undefined) throw new IntakeError(refusedCode);
  throw new IntakeError('STORAGE_OBJECT_ABSENT', {
    detail: `${keys.length} upload keys looked at`,
  });
}

interface Copy {
  readonly uploadKey: string;
  readonly originalKey: string;
}

/** False when nothing was uploaded there. */
async function isCopied(
  { objectStore }: ActivityDependencies,
  { uploadKey, originalKey }: Copy,
  { signal }: AttemptScope,
): Promise<boolean> {
  try {
    await objectStore.copy(uploadKey, originalKey, signal);
    return true;
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'STORAGE_OBJECT_ABSENT') return false;
    throw error;
  }
}

/**
 * Why the copy is not what was declared; `undefined` when it is. A refusal is written down before its objects go, so
 * that it outlives a kill; a copy that could not be read is dropped, since the next look makes its own.
 */
async function refusalOf(
  dependencies: ActivityDependencies,
  { uploadKey, originalKey }: Copy,
  { attempt, scope }: Look,
): Promise<ErrorCode | undefined> {
  try {
    const { signal } = scope;
    await compareWithDeclared(dependencies, attempt.version, { originalKey, signal });
    return undefined;
  } catch (error) {
    const refused = error instanceof IntakeError && !error.retryable ? error : undefined;
    const keys = refused ? [uploadKey, originalKey] : [originalKey];
    await scope.hold(async (transaction, held) => {
      await markRemoved(transaction, keys);
      if (refused) await recordRefusal(transaction, held.id, refused.code);
    });
    await remove(dependencies, keys, scope);
    if (!refused) throw error;
    return refused.code;
  }
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
  const sameSize = received.sizeBytes === declared.sizeBytes;
  throw new IntakeError(sameSize ? 'CHECKSUM_MISMATCH' : 'SIZE_MISMATCH');
}

/** Objects that nobody looks at any more. That one stays is no failure of the document: the outbox sweep removes it again. */
async function remove(
  { objectStore, logger }: ActivityDependencies,
  keys: readonly string[],
  { signal }: AttemptScope,
): Promise<void> {
  try {
    await objectStore.remove(keys, signal);
  } catch (error) {
    logger.warn({ err: error, objects: keys.length }, 'objects left for a later sweep');
  }
}
