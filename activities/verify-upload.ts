/**
 * verify: the object is copied to a fresh private key for which no URL was ever issued; the copy's size, SHA-256 and
 * sniffed type must be the declared ones. Idempotent by the attempt's status: a repeated call finds it verified.
 */
import {
  type Attempt,
  advance,
  countLook,
  recordRefusal,
  type Version,
} from '../src/db/attempts.ts';
import {
  markRemoved,
  releaseKey,
  reserveOriginalKey,
  retireAllBut,
  uploadKeys,
} from '../src/db/objects.ts';
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
    const look = await scope.hold(beginLook);
    const { version } = look.attempt;
    const originalKey = look.privateKey && (await firstGoodCopy(dependencies, look, scope));
    if (originalKey) {
      const doneWith = await scope.hold((transaction, held) =>
        decide(transaction, held, { version, originalKey }),
      );
      await remove(dependencies, doneWith, scope);
    }
    return { sizeBytes: version.sizeBytes };
  });
}

interface Look {
  readonly attempt: Attempt;
  readonly keys: readonly string[];
  /**
   * The private key of the first copy, written down before any copy is made, so that erasure finds them all. Never one
   * of another look: that may still write. `undefined` when there is nothing to look for any more.
   */
  readonly privateKey: string | undefined;
}

async function beginLook(transaction: Queryable, attempt: Attempt): Promise<Look> {
  if (!isOpen(attempt)) return { attempt, keys: [], privateKey: undefined };
  const [keys, privateKey] = await Promise.all([
    uploadKeys(transaction, attempt.documentId),
    reservePrivateKey(transaction, attempt),
    countLook(transaction, attempt.id),
  ]);
  return { attempt, keys, privateKey };
}

/** Another live try of this activity may have verified the document meanwhile: what this one saw then says nothing. */
function isOpen({ status }: Attempt): boolean {
  return status === 'awaiting_upload';
}

function reservePrivateKey(transaction: Queryable, attempt: Attempt): Promise<string> {
  return reserveOriginalKey(transaction, { ...attempt, attemptId: attempt.id });
}

/** The first good copy is the evidence; a later one goes. Answers the keys that are done with. */
async function decide(
  transaction: Queryable,
  held: Attempt,
  { version, originalKey }: { readonly version: Version; readonly originalKey: string },
): Promise<readonly string[]> {
  if (!isOpen(held)) return await markRemoved(transaction, [originalKey]);
  const [doneWith] = await Promise.all([
    retireAllBut(transaction, held.documentId, originalKey),
    recordVerified(transaction, version, originalKey),
    advance(transaction, held, ['uploaded']),
  ]);
  return doneWith;
}

/**
 * The private copy of the first upload that is what was declared; `undefined` when it was found by another try. None
 * there is absent; only wrong ones is the refusal.
 */
async function firstGoodCopy(
  dependencies: ActivityDependencies,
  { attempt, keys, privateKey }: Look,
  scope: AttemptScope,
): Promise<string | undefined> {
  let unused = privateKey;
  for (const uploadKey of keys) {
    const originalKey: string = unused ?? (await scope.hold(reservePrivateKey));
    unused = originalKey;
    if (!(await isCopied(dependencies, { uploadKey, originalKey }, scope))) continue;
    if (await isGood(dependencies, { uploadKey, originalKey }, { attempt, scope }))
      return originalKey;
    unused = undefined;
  }
  const now = await scope.hold(async (transaction, held) => {
    if (unused) await releaseKey(transaction, unused);
    return held;
  });
  if (!isOpen(now)) return undefined;
  throw new IntakeError(now.refusedCode ?? 'STORAGE_OBJECT_ABSENT', {
    detail: `${keys.length} upload keys looked at`,
  });
}

interface Copy {
  readonly uploadKey: string;
  readonly originalKey: string;
}

/** Nothing was sent, or storage refused it. An outage proves nothing: its copy may still be made. */
const certainlyNotMade: ReadonlySet<ErrorCode> = new Set([
  'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
  'STORAGE_FORBIDDEN',
]);

/** False when nothing was uploaded there. A document that waits for storage leaves no key for every try. */
async function isCopied(
  { objectStore }: ActivityDependencies,
  { uploadKey, originalKey }: Copy,
  { signal, hold }: AttemptScope,
): Promise<boolean> {
  try {
    await objectStore.copy(uploadKey, originalKey, signal);
    return true;
  } catch (error) {
    if (!(error instanceof IntakeError)) throw error;
    if (error.code === 'STORAGE_OBJECT_ABSENT') return false;
    if (certainlyNotMade.has(error.code)) {
      await hold((transaction) => releaseKey(transaction, originalKey));
    }
    throw error;
  }
}

/**
 * Whether the copy is what was declared. A refusal is written down before its objects go, so that it outlives a kill; a
 * copy that could not be read is dropped, since the next look makes its own.
 */
async function isGood(
  dependencies: ActivityDependencies,
  { uploadKey, originalKey }: Copy,
  { attempt, scope }: { readonly attempt: Attempt; readonly scope: AttemptScope },
): Promise<boolean> {
  try {
    const { signal } = scope;
    await compareWithDeclared(dependencies, attempt.version, { originalKey, signal });
    return true;
  } catch (error) {
    const refused = error instanceof IntakeError && !error.retryable ? error : undefined;
    const keys = refused ? [uploadKey, originalKey] : [originalKey];
    const { now, doneWith } = await scope.hold(async (transaction, held) => {
      const marked = await markRemoved(transaction, keys);
      if (refused && isOpen(held)) await recordRefusal(transaction, held.id, refused.code);
      return { now: held, doneWith: marked };
    });
    await remove(dependencies, doneWith, scope);
    if (!refused && isOpen(now)) throw error;
    return false;
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
