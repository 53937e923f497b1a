/** Commands given and workers lost, for the timeline; status moves the database records by itself, waits come with their reason. */
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { FailRequest } from '../domain/operators.ts';
import type { Queryable } from './pool.ts';

export interface Command {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly attemptId: AttemptId;
  readonly name: 'cancel' | 'retry' | 'delete' | 'poll' | 'extend' | 'fail';
  /** `owner`, proven by a token; or an operator in the operator's own word. */
  readonly actor: string;
  readonly selfDeclared: boolean;
  /** Why, for the owner to read. */
  readonly reason?: string;
}

export async function recordCommand(transaction: Queryable, command: Command): Promise<void> {
  await transaction.query(
    `insert into intake.events (document_id, owner_id, attempt_id, kind, detail, actor, self_declared, reason)
     values ($1, $2, $3, 'command', $4, $5, $6, $7)`,
    [
      command.documentId,
      command.ownerId,
      command.attemptId,
      command.name,
      command.actor,
      command.selfDeclared,
      command.reason ?? null,
    ],
  );
}

/** The operator who failed this attempt, if that is how it ended. */
export async function failureByOperator(
  q: Queryable,
  attemptId: AttemptId,
): Promise<FailRequest | undefined> {
  const code: ErrorCode = 'FAILED_BY_OPERATOR';
  const { rows } = await q.query<{ actor: string; reason: string }>(
    `select e.actor, e.reason from intake.attempts a join intake.events e on e.attempt_id = a.id and e.document_id = a.document_id
     where a.id = $1 and a.error_code = $2 and e.kind = 'command' and e.detail = 'fail' order by e.id desc limit 1`,
    [attemptId, code],
  );
  return rows[0];
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
