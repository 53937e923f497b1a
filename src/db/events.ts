/** Commands given, for the timeline; status moves the database records by itself, waits come with their reason. */
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
