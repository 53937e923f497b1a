/** Commands given and workers lost, for the timeline; status moves the database records by itself, waits come with their reason. */
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface Command {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly attemptId: AttemptId;
  readonly name: 'cancel' | 'retry' | 'delete';
  /** Self-declared. */
  readonly actor: string;
}

export async function recordCommand(transaction: Queryable, command: Command): Promise<void> {
  await transaction.query(
    `insert into intake.events (document_id, owner_id, attempt_id, kind, detail, actor)
     values ($1, $2, $3, 'command', $4, $5)`,
    [command.documentId, command.ownerId, command.attemptId, command.name, command.actor],
  );
}

/** Ended by Temporal's retry: an activity fell silent, and another try of it has begun. */
export async function recordLostWorker(q: Queryable, attemptId: AttemptId): Promise<void> {
  const code: ErrorCode = 'WORKER_LOST';
  await q.query(
    `insert into intake.events (document_id, owner_id, attempt_id, kind, code)
     select document_id, owner_id, id, 'race', $2 from intake.attempts where id = $1`,
    [attemptId, code],
  );
}
