/**
 * eraseDocument: removes a tombstoned document at every place and proves that nothing is left. Safe to repeat.
 * The first sweep removes content; the last one, when no upload URL can be used any more, also the rows that the
 * timeline needed until then. What stays is the tombstone: id, owner, incarnation and instants.
 */
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import {
  eraseContent,
  eraseRecords,
  findTombstone,
  markErased,
  rowsLeft,
} from '../src/db/erasure.ts';
import { markRemoved, objectPrefixes, objectsOf, type Place } from '../src/db/objects.ts';
import { markForgotten, parseJobsAtVendor } from '../src/db/parse-jobs.ts';
import { inTransaction } from '../src/db/pool.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { DocumentId } from '../src/domain/ids.ts';
import type { EraseResult, EraseSweep } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toFailure, toIntakeError } from './failures.ts';

export async function eraseDocument(
  dependencies: ActivityDependencies,
  { documentId, final }: EraseSweep,
): Promise<EraseResult> {
  const ticker = setInterval(() => heartbeat(), 500);
  try {
    return await sweep(dependencies, documentId, final);
  } catch (error) {
    const translated = toIntakeError(error);
    dependencies.logger.warn({ err: translated, documentId }, 'erasure failed');
    throw toFailure(translated);
  } finally {
    clearInterval(ticker);
  }
}

async function sweep(
  dependencies: ActivityDependencies,
  documentId: DocumentId,
  final: boolean,
): Promise<EraseResult> {
  const { pool } = dependencies;
  const tombstone = await findTombstone(pool, documentId);
  if (!tombstone)
    throw new IntakeError('INTERNAL_ERROR', { detail: 'no tombstone: nothing may be erased' });
  const { urlsExpireAt } = await objectsOf(pool, documentId);
  await forgetAtVendor(dependencies, documentId);
  await removeObjects(dependencies, tombstone);
  await inTransaction(pool, (transaction) => eraseContent(transaction, documentId));
  if (final) {
    await inTransaction(pool, (transaction) => eraseRecords(transaction, documentId));
    await proveNothingLeft(dependencies, tombstone);
    await markErased(pool, documentId);
  }
  return { urlsExpireAtMs: urlsExpireAt.getTime() };
}

/** A job whose submit was never answered may be there all the same, or its upload alone: the vendor is asked by our id. */
async function forgetAtVendor(
  { pool, parser }: ActivityDependencies,
  documentId: DocumentId,
): Promise<void> {
  const signal = cancellationSignal();
  for (const { id, providerJobId, providerFileId, createdAt } of await parseJobsAtVendor(
    pool,
    documentId,
  )) {
    const job = providerJobId
      ? { providerJobId, providerFileId }
      : await parser.find(id, createdAt, signal);
    await (job ? parser.forget(job, signal) : parser.forgetUploads(id, signal));
    await markForgotten(pool, id);
  }
}

/** Every key that was ever written down, and whatever else lies under the document's prefixes. */
async function removeObjects(
  { pool, objectStore }: ActivityDependencies,
  place: Place,
): Promise<void> {
  const signal = cancellationSignal();
  const { keys } = await objectsOf(pool, place.documentId);
  const found = await listAll({ objectStore }, place);
  const all = [...new Set([...keys, ...found])];
  if (all.length > 0) await objectStore.remove(all, signal);
  await markRemoved(pool, all);
}

async function listAll(
  { objectStore }: Pick<ActivityDependencies, 'objectStore'>,
  place: Place,
): Promise<readonly string[]> {
  const lists = objectPrefixes(place).map((prefix) =>
    objectStore.list(prefix, cancellationSignal()),
  );
  return (await Promise.all(lists)).flat();
}

async function proveNothingLeft(dependencies: ActivityDependencies, place: Place): Promise<void> {
  const rows = await rowsLeft(dependencies.pool, place.documentId);
  const objects = await listAll(dependencies, place);
  if (rows + objects.length > 0) {
    throw new IntakeError('STORAGE_UNAVAILABLE', {
      detail: `${rows} rows and ${objects.length} objects are left`,
    });
  }
}
