/** Reconciliation: pass after pass, page after page. Started by a schedule; a long one goes on as new. */
import {
  ActivityFailure,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import {
  addTally,
  type FindingKind,
  type Pass,
  type Tally,
  type Treatment,
} from '../src/domain/reconciliation.ts';
import type { ReconcileInput, ReconcileResult } from '../src/domain/run.ts';
import { reconcilePage } from './activity-options.ts';

export async function reconcile(input: ReconcileInput): Promise<ReconcileResult> {
  const brokenOff = [...(input.brokenOff ?? [])];
  let { cursor, tally = {} } = input;
  for (const [index, pass] of input.passes.entries()) {
    try {
      do {
        const page = await reconcilePage({ pass, ...(cursor === undefined ? {} : { cursor }) });
        cursor = page.next;
        tally = addTally(tally, page.tally);
        setCurrentDetails(inWords(tally, pass));
        if (cursor !== undefined && workflowInfo().continueAsNewSuggested) {
          const passes = input.passes.slice(index);
          await continueAsNew<typeof reconcile>({ passes, cursor, tally, brokenOff });
        }
      } while (cursor !== undefined);
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      brokenOff.push(pass);
      cursor = undefined;
    }
  }
  setCurrentDetails(inWords(tally));
  return { tally, brokenOff };
}

const treatments = {
  healed: 'healed',
  pending: 'only looked at',
  reported: 'left for an operator',
  failed: 'not healed: see the log',
} as const satisfies Record<Treatment, string>;

function inWords(tally: Tally, pass?: Pass): string {
  const lines = Object.entries(tally).flatMap(([kind, counts]) =>
    Object.entries(counts).map(
      ([treatment, count]) =>
        `- ${count} ${(kind as FindingKind).replaceAll('-', ' ')}: ${treatments[treatment as Treatment]}`,
    ),
  );
  const head = pass === undefined ? 'Done' : `Looking: ${pass}`;
  return [`**${head}**`, lines.length === 0 ? 'Nothing found.' : lines.join('\n')].join('\n\n');
}
