/** Commands on a document. The row is written first; then Temporal is told, and the outbox sweep makes good what it did not hear. */

import { endAttempt } from '../../db/attempts.ts';
import { buryDocument, type HeldDocument, holdDocument } from '../../db/documents.ts';
import { type Command, recordCommand } from '../../db/events.ts';
import { markConfirmed, markStopSent, stampErasure } from '../../db/outbox.ts';
import { inTransaction, type Queryable } from '../../db/pool.ts';
import { IntakeError } from '../../domain/errors.ts';
import type { DocumentId } from '../../domain/ids.ts';
import { isTerminal } from '../../domain/ingestion.ts';
import { mayRetry } from '../../domain/operators.ts';
import { correlate } from '../../observability/correlation.ts';
import type { Caller, CommandedDocument } from '../dependencies.ts';
import { type AcceptDependencies, nextAttempt } from './accept-document.ts';
import { startAttempt, tellConfirm } from './start-attempt.ts';

/** The owner, or an operator in the owner's place, under the name that the operator gave. */
export interface ActingCaller extends Caller {
  readonly actor?: string;
}

/** The bytes are there, says the client: a hint that brings the next look forward. */
export async function confirmUpload(
  { pool, runs }: AcceptDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<CommandedDocument> {
  const { status, untold } = await onDocument({ pool, caller }, documentId, async (tx, held) => ({
    status: held.status,
    untold: await markConfirmed(tx, held.attemptId),
  }));
  if (untold) await tellConfirm(pool, runs, untold);
  return { documentId, status };
}

/** A new attempt from the stage that failed; nothing that was paid and kept is paid again. */
export async function retryDocument(
  dependencies: AcceptDependencies,
  caller: ActingCaller,
  documentId: DocumentId,
): Promise<CommandedDocument> {
  const { pool, runs, settings } = dependencies;
  const acceptance = await onDocument({ pool, caller }, documentId, async (transaction, held) => {
    // Without verified bytes there is nothing to retry: the way is a new upload.
    if (!mayRetry({ status: held.status, verified: held.evidence.verified }))
      throw new IntakeError('NOT_POSSIBLE_NOW');
    await noteCommand(transaction, held, { name: 'retry', caller });
    return await nextAttempt(transaction, {
      held,
      caller,
      settings,
      sizeBytes: 0,
      confirmed: true,
    });
  });
  const { run, status } = acceptance;
  if (run) await orSweep(dependencies, () => startAttempt(pool, runs, run));
  return { documentId, status };
}

/** Final: the row ends now, the run within seconds. */
export async function cancelDocument(
  dependencies: AcceptDependencies,
  caller: ActingCaller,
  documentId: DocumentId,
): Promise<CommandedDocument> {
  const { pool } = dependencies;
  const held = await onDocument({ pool, caller }, documentId, async (transaction, document) => {
    if (document.status === 'cancelled') return document;
    if (isTerminal(document.status)) throw new IntakeError('NOT_POSSIBLE_NOW');
    await noteCommand(transaction, document, { name: 'cancel', caller });
    await endAttempt(transaction, document.attemptId, {
      status: 'cancelled',
      code: 'CANCELLED',
      failedStage: undefined,
    });
    return document;
  });
  await tellStop(dependencies, held);
  return { documentId, status: 'cancelled' };
}

/** A tombstone: gone from lists and search with the commit, erased at every place by `erase/<documentId>`. */
export async function deleteDocument(
  dependencies: AcceptDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<CommandedDocument> {
  const { pool, runs } = dependencies;
  const held = await onDocument({ pool, caller }, documentId, async (transaction, document) => {
    await noteCommand(transaction, document, { name: 'delete', caller });
    if (!isTerminal(document.status)) {
      await endAttempt(transaction, document.attemptId, {
        status: 'deleted',
        code: 'DOCUMENT_DELETED',
        failedStage: undefined,
      });
    }
    await buryDocument(transaction, documentId);
    return document;
  });
  if (!isTerminal(held.status)) await tellStop(dependencies, held);
  await orSweep(dependencies, async () =>
    stampErasure(pool, documentId, await runs.erase(documentId)),
  );
  return { documentId, status: 'deleted' };
}

/** Unknown, foreign and deleted documents are all NOT_FOUND. */
export async function onDocument<Result>(
  { pool, caller }: Pick<AcceptDependencies, 'pool'> & { readonly caller: Caller },
  documentId: DocumentId,
  work: (transaction: Queryable, document: HeldDocument) => Promise<Result>,
): Promise<Result> {
  return await inTransaction(pool, async (transaction) => {
    const held = await holdDocument(transaction, caller.ownerId, documentId);
    if (!held) throw new IntakeError('NOT_FOUND');
    correlate(held.correlationId);
    return await work(transaction, held);
  });
}

export async function tellStop(
  dependencies: AcceptDependencies,
  { id: documentId, attemptId }: Pick<HeldDocument, 'id' | 'attemptId'>,
): Promise<void> {
  const { pool, runs } = dependencies;
  await orSweep(dependencies, async () => {
    if (await runs.stop({ documentId, attemptId })) await markStopSent(pool, attemptId);
  });
}

/** What was committed has happened, and is no error to its caller: what Temporal does not hear now, the outbox sweep tells it. */
async function orSweep(
  { logger }: Pick<AcceptDependencies, 'logger'>,
  tell: () => Promise<unknown>,
): Promise<void> {
  try {
    await tell();
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'SERVICE_UNAVAILABLE') throw error;
    logger.warn({ err: error }, 'Temporal not told yet, the outbox sweep will');
  }
}

interface Given extends Pick<Command, 'name' | 'reason'> {
  readonly caller: ActingCaller;
}

export async function noteCommand(
  transaction: Queryable,
  { id: documentId, ownerId, attemptId }: HeldDocument,
  { caller: { actor = 'owner' }, caller, ...given }: Given,
): Promise<void> {
  const command = { documentId, ownerId, attemptId, ...given };
  await recordCommand(transaction, { ...command, actor, selfDeclared: caller.actor !== undefined });
}
