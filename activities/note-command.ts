/**
 * recordCommand: who asked what of a run, in the timeline, and the deadline that was moved, in the row. Beside the main
 * line: whatever the row says, the run has been asked and goes on.
 */
import { extendDeadline } from '../src/db/attempts.ts';
import { recordCommand } from '../src/db/events.ts';
import { withAttempt } from './attempt-scope.ts';
import type { AskedCommand } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function noteCommand(
  dependencies: ActivityDependencies,
  { name, actor, deadlineAtMs, ...ref }: AskedCommand,
): Promise<void> {
  await withAttempt(dependencies, ref, (scope) =>
    scope.hold(async (transaction, { id: attemptId, documentId, ownerId }) => {
      const command = { documentId, ownerId, attemptId, name, actor, selfDeclared: true };
      await recordCommand(transaction, command);
      if (deadlineAtMs !== undefined) {
        await extendDeadline(transaction, attemptId, new Date(deadlineAtMs));
      }
    }),
  );
}
