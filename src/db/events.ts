/** The timeline besides status moves, which the database records by itself: races seen and commands given. */
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptId, DocumentId, OwnerId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface TimelineNote {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly attemptId: AttemptId;
  readonly kind: 'race' | 'command';
  readonly code?: ErrorCode;
  /** One word or short phrase of ours; never input. */
  readonly detail: string;
  /** Self-declared. */
  readonly actor?: string;
}

export async function recordEvent(q: Queryable, note: TimelineNote): Promise<void> {
  await q.query(
    `insert into intake.events (document_id, owner_id, attempt_id, kind, code, detail, actor)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      note.documentId,
      note.ownerId,
      note.attemptId,
      note.kind,
      note.code ?? null,
      note.detail,
      note.actor ?? null,
    ],
  );
}
