/** reconcile: one page of one pass, found and healed. Safe to repeat: what is healed is not found again. */
import { cancellationSignal } from '@temporalio/activity';
import { IntakeError } from '../src/domain/errors.ts';
import { addTally, type Tally } from '../src/domain/reconciliation.ts';
import type { ReconciledPage, ReconcilePage } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { toFailure, toIntakeError } from './failures.ts';
import { withHeartbeat } from './heartbeat.ts';
import { reconcilePage } from './reconciliation/reconcile.ts';

export function reconcile(
  dependencies: ActivityDependencies,
  { pass, cursor }: ReconcilePage,
): Promise<ReconciledPage> {
  return withHeartbeat(async () => {
    // The operator's word that nothing else is running never comes from a schedule.
    const signal = AbortSignal.any([cancellationSignal(), dependencies.draining]);
    const scene = { ...dependencies, signal, now: new Date(), afterRestore: false };
    let tally: Tally = {};
    try {
      const next = await reconcilePage(scene, pass, {
        cursor,
        dryRun: false,
        onFinding: ({ kind, treatment }) => {
          tally = addTally(tally, { [kind]: { [treatment]: 1 } });
        },
      });
      return next === undefined ? { tally } : { tally, next };
    } catch (error) {
      if (dependencies.draining.aborted) throw toFailure(new IntakeError('WORKER_STOPPING'));
      const translated = toIntakeError(error);
      dependencies.logger.warn({ err: translated, pass }, 'reconciliation: the pass broke off');
      throw toFailure(translated);
    }
  });
}
