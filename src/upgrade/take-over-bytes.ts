/**
 * The bytes of what had ended before Intake came: the original only declared their hash. A private copy is made and
 * compared, as verify does; what is proven can be downloaded, and a failed document tried again. All of it may be repeated.
 */
import { createHash } from 'node:crypto';
import {
  recordMoved,
  type Unmoved,
  type Unproven,
  unmovedMarkdowns,
  unprovenOriginals,
} from '../db/inheritance.ts';
import {
  markRemoved,
  releaseKey,
  reserveMarkdownKey,
  reserveOriginalKey,
  retireAllBut,
} from '../db/objects.ts';
import { inTransaction, type Pool } from '../db/pool.ts';
import { lockDocument } from '../db/reconciliation.ts';
import { recordVerified } from '../db/versions.ts';
import { IntakeError } from '../domain/errors.ts';
import { inspectFile } from '../parsing/inspect-file.ts';
import { withSpooledFile } from '../spool/spooled-file.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { readText } from '../storage/read-text.ts';

export interface ByteDependencies {
  readonly pool: Pool;
  readonly objectStore: ObjectStore;
  readonly maxFileBytes: number;
  readonly maxMarkdownBytes: number;
}

export type Proof = 'proven' | 'absent' | 'different';
export type Tally = Record<Proof, number>;

/** Storage that is away ends it: what was proven until then stays. */
export async function takeOverBytes(
  dependencies: ByteDependencies,
): Promise<{ readonly originals: Tally; readonly markdowns: Tally }> {
  const { pool } = dependencies;
  const originals = await tallied(
    (after) => unprovenOriginals(pool, { after, limit: PAGE }),
    (version) => proveOriginal(dependencies, version),
  );
  const markdowns = await tallied(
    (after) => unmovedMarkdowns(pool, { after, limit: PAGE }),
    (version) => moveMarkdown(dependencies, version),
  );
  return { originals, markdowns };
}

const PAGE = 100;

async function tallied<Item extends { readonly documentId: string }>(
  page: (after: string | undefined) => Promise<readonly Item[]>,
  prove: (item: Item) => Promise<Proof>,
): Promise<Tally> {
  const tally = { proven: 0, absent: 0, different: 0 };
  let items = await page(undefined);
  while (items.length > 0) {
    for (const item of items) tally[await prove(item)] += 1;
    items = await page(items.at(-1)?.documentId);
  }
  return tally;
}

async function proveOriginal(dependencies: ByteDependencies, version: Unproven): Promise<Proof> {
  const { pool, objectStore } = dependencies;
  const copy = await reserveOriginalKey(pool, version);
  try {
    await objectStore.copy(version.key, copy);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await releaseKey(pool, copy);
    return 'absent';
  }
  const sizeBytes = await provenSize(dependencies, version, copy);
  if (sizeBytes === undefined) {
    await objectStore.remove(await markRemoved(pool, [copy]));
    return 'different';
  }
  await inTransaction(pool, async (transaction) => {
    await lockDocument(transaction, version.documentId);
    const { versionId: id, mediaType } = version;
    await recordVerified(transaction, { id, sizeBytes, mediaType }, copy);
    await retireAllBut(transaction, version.documentId, copy);
  });
  return 'proven';
}

/** The hash decides, and the type that the bytes show. `undefined`: they are not what the row says. */
async function provenSize(
  { objectStore, maxFileBytes: maxBytes }: ByteDependencies,
  { sha256, mediaType }: Unproven,
  copy: string,
): Promise<number | undefined> {
  try {
    return await withSpooledFile(await objectStore.read(copy, { maxBytes }), async (file) => {
      if (file.sha256 !== sha256) return undefined;
      await inspectFile(file.path, { mediaType });
      return file.sizeBytes;
    });
  } catch (error) {
    if (error instanceof IntakeError && !error.retryable) return undefined;
    throw error;
  }
}

async function moveMarkdown(
  { pool, objectStore, maxMarkdownBytes: maxBytes }: ByteDependencies,
  version: Unmoved,
): Promise<Proof> {
  const text = await readText(objectStore, version.key, { maxBytes }).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (text === undefined) return 'absent';
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (sha256 !== version.markdownSha256) return 'different';
  const key = await reserveMarkdownKey(pool, version, sha256);
  const bytes = Buffer.from(text);
  await objectStore.put(key, bytes, { contentType: 'text/markdown; charset=utf-8' });
  await inTransaction(pool, async (transaction) => {
    await lockDocument(transaction, version.documentId);
    await recordMoved(transaction, version, { key, sha256, bytes: bytes.length });
  });
  return 'proven';
}

function isAbsent(error: unknown): boolean {
  return error instanceof IntakeError && error.code === 'STORAGE_OBJECT_ABSENT';
}
