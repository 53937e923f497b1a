/** The activities of a worker, bound to their dependencies. */
import { collectResult } from './collect-result.ts';
import type {
  EraseActivities,
  IngestActivities,
  OperatorActivities,
  ReconcileActivities,
} from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { embedChunks } from './embed-chunks.ts';
import { eraseDocument } from './erase-document.ts';
import { noteCommand } from './note-command.ts';
import { pollParse } from './poll-parse.ts';
import { reconcile } from './reconcile.ts';
import { recordOutcome } from './record-outcome.ts';
import { submitParse } from './submit-parse.ts';
import { verifyUpload } from './verify-upload.ts';

export function createActivities(
  dependencies: ActivityDependencies,
): IngestActivities & OperatorActivities & EraseActivities & ReconcileActivities {
  return {
    verify: (ref) => verifyUpload(dependencies, ref),
    submitParse: (ref) => submitParse(dependencies, ref),
    pollParse: (ref) => pollParse(dependencies, ref),
    collect: (ref) => collectResult(dependencies, ref),
    embed: (ref) => embedChunks(dependencies, ref),
    recordOutcome: (outcome) => recordOutcome(dependencies, outcome),
    recordCommand: (command) => noteCommand(dependencies, command),
    reconcile: (page) => reconcile(dependencies, page),
    eraseDocument: (sweep) => eraseDocument(dependencies, sweep),
  };
}
