/**
 * eraseDocument: removes a tombstoned document at every place and proves that nothing is left. Safe to repeat.
 * The first sweep removes content; the last one, when no upload URL can be used any more, also the rows that the
 * timeline needed until then. What stays is the tombstone: id, owner, incarnation and instants.
 */
import { cancellationSignal } from '@temporalio/activity';
import {
  eraseContent,
  eraseRecords,
  findTombstone,
  markErased,
  rowsLeft,
} from '../src/db/erasure.ts';
import { markRemoved, objectPrefixes, objectsOf, type Place } from '../src/db/objects.ts';
import { eraseFromOriginal } from '../src/db/original.ts';
import { parseJobsOf } from '../src/db/parse-jobs.ts';
import { inTransaction } from '../src/db/pool.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { DocumentId } from '../src/domain/ids.ts';
import type { EraseResult, EraseSweep } from './contract.ts';
import { leaveDeletionMarker } from './deletion-marker.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toFailure, toIntakeError } from './failures.ts';
import { eraseParseJob } from './forget-parse-job.ts';
import { withHeartbeat } from './heartbeat.ts';

export function eraseDocument(
  dependencies: ActivityDependencies,
  { documentId, final }: EraseSweep,
): Promise<EraseResult> {
  return withHeartbeat(async () => {
    try {
      return await sweep(dependencies, documentId, final);
    } catch (error) {
      const translated = toIntakeError(error);
      dependencies.logger.warn({ err: translated, documentId }, 'erasure failed');
      throw toFailure(translated, { retryable: true });
    }
  });
}

/**
 * The marker goes before anything else: a database that is restored from before the deletion learns of it there. Then
 * what is ours: a vendor that is down must not keep a deleted document's text here.
 */
async function sweep(
  dependencies: ActivityDependencies,
  documentId: DocumentId,
  final: boolean,
): Promise<EraseResult> {
  const { pool, openRunId } = dependencies;
  const tombstone = await findTombstone(pool, documentId);
  if (!tombstone)
    throw new IntakeError('INTERNAL_ERROR', { detail: 'no tombstone: nothing may be erased' });
  if (final && (await openRunId(documentId)) !== undefined) {
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: 'the run of the document still closes',
    });
  }
  await leaveDeletionMarker(dependencies, tombstone, cancellationSignal());
  const { urlsExpireAt } = await objectsOf(pool, documentId);
  await inTransaction(pool, async (transaction) => {
    await eraseContent(transaction, documentId);
    await eraseFromOriginal(transaction, documentId);
  });
  await removeObjects(dependencies, tombstone);
  for (const job of await parseJobsOf(pool, documentId)) {
    await eraseParseJob(dependencies, job, cancellationSignal());
  }
  if (final) {
    await inTransaction(pool, (transaction) => eraseRecords(transaction, documentId));
    await proveNothingLeft(dependencies, tombstone);
    await markErased(pool, documentId);
  }
  return { urlsExpireAtMs: urlsExpireAt.getTime() };
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
