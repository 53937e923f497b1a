/**
 * Why does it stand where it stands: the row, its place among others, and what Temporal and a worker say of the run.
 * A part that does not answer is left out and named, never guessed.
 */
import { type DocumentRecord, findDocument } from '../../db/document-reads.ts';
import { placeInLine, type StandingRecord, standingOf } from '../../db/operator-reads.ts';
import { asOwner, type Pool } from '../../db/pool.ts';
import { errorCodes, IntakeError, type Turn } from '../../domain/errors.ts';
import type { DocumentId } from '../../domain/ids.ts';
import { isTerminal, stageOf } from '../../domain/ingestion.ts';
import { buttonsFor } from '../../domain/operators.ts';
import type { RunDesk, SeenRun } from '../../temporal/run-desk.ts';
import type { Caller, ExplanationFacts } from '../dependencies.ts';
import { type RunLinks, runUrl } from './run-links.ts';

export interface ExplainDependencies {
  readonly pool: Pool;
  readonly desk: RunDesk;
  readonly runLinks: RunLinks | undefined;
}

export async function explainDocument(
  dependencies: ExplainDependencies,
  caller: Caller,
  documentId: DocumentId,
): Promise<ExplanationFacts> {
  const { pool, runLinks } = dependencies;
  const record = await readAs(caller, pool, documentId);
  const standing = record && (await standingOf(pool, documentId));
  if (!standing) throw new IntakeError('NOT_FOUND');
  const { status } = record;
  const ended = isTerminal(status);
  const run = await seeRun(dependencies, record, standing);
  const seen = typeof run === 'object' ? run : undefined;
  return {
    documentId,
    status,
    stage: ended ? record.failedStage : stageOf[status],
    since: standing.since,
    attempt: standing.attempt,
    words: seen?.standing?.words,
    tries: seen?.activity && { number: seen.activity.try, most: seen.activity.mostTries },
    lastError: lastError(record, standing, seen),
    nextTryAt: seen?.activity?.nextTryAt ?? instant(seen?.standing?.next) ?? record.nextTryAt,
    deadlineAt:
      instant(seen?.standing?.deadline) ?? seen?.activity?.deadlineAt ?? record.deadlineAt,
    line: ended ? undefined : await placeInLine(pool, { status, since: standing.since }),
    turn: turnOf(record, standing),
    buttons: buttonsFor({ status, ...standing }),
    run: {
      state: seen?.state ?? (typeof run === 'string' ? run : 'unknown'),
      workerAnswers: seen?.state === 'open' ? seen.standing !== undefined : undefined,
      url: runLinks && runUrl(runLinks, documentId, record.runId),
    },
  };
}

/** Operators may ask after anybody's document; the rest of the answer has nothing of what is in it. */
function readAs({ operator, ownerId }: Caller, pool: Pool, documentId: DocumentId) {
  return operator === true
    ? findDocument(pool, documentId)
    : asOwner(pool, ownerId, (transaction) => findDocument(transaction, documentId));
}

/** A run in its start delay answers no query, and is not asked. */
async function seeRun(
  { desk }: ExplainDependencies,
  { id: documentId, runId, endedAt }: DocumentRecord,
  { hasBegun }: StandingRecord,
): Promise<SeenRun | ExplanationFacts['run']['state']> {
  if (runId === undefined) return 'not started';
  if (endedAt === undefined && !hasBegun) return 'delayed';
  try {
    return (await desk.look({ documentId, runId })) ?? 'closed';
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'SERVICE_UNAVAILABLE') return 'unknown';
    throw error;
  }
}

function lastError(
  { errorCode, endedAt, waitingCode, waitingSince }: DocumentRecord,
  { lastError: earlier }: StandingRecord,
  seen: SeenRun | undefined,
): ExplanationFacts['lastError'] {
  if (errorCode) return { code: errorCode, at: endedAt };
  if (waitingCode) return { code: waitingCode, at: waitingSince };
  const told = seen?.activity?.lastError ?? seen?.standing?.lastError;
  return told ? { code: told, at: undefined } : earlier;
}

/** Whoever it is that has to move. */
function turnOf(
  { status, errorCode, waitingCode, confirmedAt }: DocumentRecord,
  { withParser }: StandingRecord,
): Turn | undefined {
  const code = errorCode ?? waitingCode;
  if (code) return errorCodes[code]?.turn ?? 'us';
  if (isTerminal(status)) return undefined;
  if (status === 'awaiting_upload') return confirmedAt === undefined ? 'user' : 'us';
  return status === 'parse_queued' && withParser ? 'provider' : 'us';
}

function instant(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
