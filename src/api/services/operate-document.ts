/**
 * What operators do with anybody's document. The row is looked at first: it says whether an update can reach the run.
 * One in its start delay, which even a rejected update would end, and one that is closed are dealt with by the row, in
 * the same words.
 */
import { endAttempt, extendDeadline as extendRow } from '../../db/attempts.ts';
import { type HeldDocument, holdDocument } from '../../db/documents.ts';
import {
  documentsOfRuns,
  documentsOnTheRoad,
  type OperatedRecord,
  ownerOf,
} from '../../db/operator-reads.ts';
import { inTransaction } from '../../db/pool.ts';
import { IntakeError } from '../../domain/errors.ts';
import type { DocumentId } from '../../domain/ids.ts';
import { endedBy, isTerminal, stageOf } from '../../domain/ingestion.ts';
import {
  type Asked,
  type ExtendRequest,
  type FailRequest,
  mayRetry,
  type OperatorAnswer,
  untilFault,
  type updateNames,
} from '../../domain/operators.ts';
import type { RunDesk } from '../../temporal/run-desk.ts';
import type {
  Caller,
  CommandedDocument,
  OperatedAnswer,
  OperatedPage,
  PageOfIds,
  PageOfRuns,
} from '../dependencies.ts';
import type { AcceptDependencies } from './accept-document.ts';
import {
  cancelDocument,
  noteCommand,
  onDocument,
  retryDocument,
  tellStop,
} from './command-document.ts';
import { type RunLinks, runUrl } from './run-links.ts';

export interface OperateDependencies extends AcceptDependencies {
  readonly desk: RunDesk;
  readonly runLinks: RunLinks | undefined;
}

/** What an operator orders, of whom. */
interface Order<Words extends Asked> {
  readonly caller: Caller;
  readonly documentId: DocumentId;
  readonly asked: Words;
}

export async function onTheRoad(
  { pool, runLinks }: OperateDependencies,
  { limit, after }: PageOfIds,
): Promise<OperatedPage> {
  const records = await documentsOnTheRoad(pool, { limit: limit + 1, after });
  const page = records.slice(0, limit);
  return {
    documents: page.map((record) => presentOperated(record, runLinks)),
    next: records.length > limit ? page.at(-1)?.documentId : undefined,
  };
}

/** Found by Temporal, told by the rows: what has moved on to another run since is left out. */
export async function findByRuns(
  { pool, desk, runLinks }: OperateDependencies,
  query: string,
  page: PageOfRuns,
): Promise<OperatedPage> {
  const { runs, next } = await desk.find(query, page);
  const records = await documentsOfRuns(
    pool,
    runs.map(({ runId }) => runId),
  );
  return { documents: records.map((record) => presentOperated(record, runLinks)), next };
}

export async function pollParser(
  dependencies: OperateDependencies,
  { documentId, asked }: Order<Asked>,
): Promise<OperatedAnswer> {
  const held = await look(dependencies, documentId);
  const answer = await askRun(dependencies, held, { name: 'poll', asked });
  if (answer === 'delayed') {
    throw notPossible('it waits for its upload, and nothing is with the parser');
  }
  if (answer === 'closed') throw runIsGone();
  return { documentId, status: held.status, ...answer };
}

export async function extendDeadline(
  dependencies: OperateDependencies,
  { caller, documentId, asked }: Order<ExtendRequest>,
): Promise<OperatedAnswer> {
  const held = await look(dependencies, documentId);
  const answer = await askRun(dependencies, held, { name: 'extend', asked });
  if (answer === 'closed') throw runIsGone();
  const said =
    answer === 'delayed' ? await extendUpload(dependencies, caller, { held, asked }) : answer;
  return { documentId, status: held.status, ...said };
}

/** The run is told first: its signal is the same word however often it is sent, and the row is read by people alone. */
async function extendUpload(
  { pool, desk }: OperateDependencies,
  caller: Caller,
  { held, asked: { actor, until } }: { readonly held: HeldDocument; readonly asked: ExtendRequest },
): Promise<OperatorAnswer> {
  const deadlineMs = held.uploadExpiresAt?.getTime();
  const fault = untilFault(until, { nowMs: Date.now(), deadlineMs });
  if (fault !== undefined) throw new IntakeError('INVALID_REQUEST', { detail: fault });
  const deadline = new Date(until);
  const { id: documentId, runId, ownerId } = held;
  if (runId !== undefined) await desk.extendUpload({ documentId, runId }, deadline);
  await onDocument(
    { pool, caller: { ...caller, ownerId } },
    documentId,
    async (transaction, now) => {
      await noteCommand(transaction, now, { name: 'extend', caller: { ...caller, actor } });
      await extendRow(transaction, now.attemptId, deadline);
    },
  );
  const said = deadline.toISOString();
  return { deadline: said, answer: `May last until ${said}: the bytes have not arrived yet.` };
}

export async function failDocument(
  dependencies: OperateDependencies,
  { caller, documentId, asked }: Order<FailRequest>,
): Promise<OperatedAnswer> {
  const held = await look(dependencies, documentId);
  const answer = await askRun(dependencies, held, { name: 'fail', asked });
  const said =
    typeof answer === 'string' ? await failRow(dependencies, caller, { held, asked }) : answer;
  const now = await look(dependencies, documentId, 'ended too');
  return { documentId, status: now.status, ...said };
}

/** The row ends now; its run, if one is there, is told by Temporal's cancel, reads the row and closes as failed. */
async function failRow(
  dependencies: OperateDependencies,
  caller: Caller,
  { held, asked: { actor, reason } }: { readonly held: HeldDocument; readonly asked: FailRequest },
): Promise<OperatorAnswer> {
  const { id: documentId, ownerId } = held;
  const owner = { ...caller, ownerId, actor };
  const ended = await onDocument(
    { ...dependencies, caller: owner },
    documentId,
    async (transaction, now) => {
      if (isTerminal(now.status)) throw notPossible(`it has ended: ${now.status}`);
      const code = 'FAILED_BY_OPERATOR';
      await noteCommand(transaction, now, { name: 'fail', caller: owner, reason });
      const ending = {
        status: endedBy(code, now.status),
        code,
        failedStage: stageOf[now.status],
      } as const;
      await endAttempt(transaction, now.attemptId, ending);
      return now;
    },
  );
  await tellStop(dependencies, ended);
  return { answer: 'Failed, as you asked.' };
}

export async function retryAsOperator(
  dependencies: OperateDependencies,
  { caller, documentId, asked: { actor } }: Order<Asked>,
): Promise<CommandedDocument> {
  const ownerId = await requireOwner(dependencies, documentId);
  return await retryDocument(dependencies, { ...caller, ownerId, actor }, documentId);
}

export async function cancelAsOperator(
  dependencies: OperateDependencies,
  { caller, documentId, asked: { actor } }: Order<Asked>,
): Promise<CommandedDocument> {
  const ownerId = await requireOwner(dependencies, documentId);
  return await cancelDocument(dependencies, { ...caller, ownerId, actor }, documentId);
}

async function requireOwner({ pool }: OperateDependencies, documentId: DocumentId) {
  const ownerId = await ownerOf(pool, documentId);
  if (ownerId === undefined) throw new IntakeError('NOT_FOUND');
  return ownerId;
}

/** One moment of the row; what is done next looks again, under lock. */
async function look(
  dependencies: OperateDependencies,
  documentId: DocumentId,
  which: 'on its road' | 'ended too' = 'on its road',
): Promise<HeldDocument> {
  const ownerId = await requireOwner(dependencies, documentId);
  const held = await inTransaction(dependencies.pool, (transaction) =>
    holdDocument(transaction, ownerId, documentId),
  );
  if (!held) throw new IntakeError('NOT_FOUND');
  if (which === 'on its road' && isTerminal(held.status)) {
    const { status, evidence } = held;
    const next = mayRetry({ status, verified: evidence.verified })
      ? '; `intake retry` starts another one'
      : '';
    throw notPossible(`its run is closed (${status})${next}`);
  }
  return held;
}

async function askRun(
  { desk, logger }: OperateDependencies,
  { id: documentId, runId, hasBegun }: HeldDocument,
  { name, asked }: { readonly name: keyof typeof updateNames; readonly asked: Asked },
): Promise<OperatorAnswer | 'closed' | 'delayed'> {
  // A run that is not stamped yet takes the row as it finds it, as one in its start delay does.
  if (runId === undefined || !hasBegun) return 'delayed';
  logger.info({ documentId, command: name }, 'operator asks a run');
  return await desk.ask({ documentId, runId }, name, asked);
}

function runIsGone(): IntakeError {
  return notPossible(
    'its run is closed without having ended the row; `intake reconcile` starts it again',
  );
}

function notPossible(detail: string): IntakeError {
  return new IntakeError('NOT_POSSIBLE_NOW', { detail });
}

function presentOperated(record: OperatedRecord, links: RunLinks | undefined) {
  const { runId, verified, ...facts } = record;
  return {
    ...facts,
    mayRetry: mayRetry({ status: facts.status, verified }),
    temporalRunUrl: links && runUrl(links, facts.documentId, runId),
  };
}
