/** Which step of a document's road an activity is: the word that metrics use. */
import { activityInfo } from '@temporalio/activity';
import type { Step } from '../src/observability/metrics.ts';
import type { EraseActivities, IngestActivities, ReconcileActivities } from './contract.ts';

const steps = {
  verify: 'verify',
  submitParse: 'parse',
  pollParse: 'poll',
  collect: 'collect',
  embed: 'embed',
  recordOutcome: 'outcome',
  eraseDocument: 'erase',
  reconcile: 'reconcile',
} as const satisfies Record<keyof (IngestActivities & EraseActivities & ReconcileActivities), Step>;

export type ActivityType = keyof typeof steps;

export function stepOf(activityType: string): Step {
  // Every activity of a worker is listed above.
  return steps[activityType as ActivityType];
}

/** Inside an activity only. */
export function currentStep(): Step {
  return stepOf(activityInfo().activityType);
}
