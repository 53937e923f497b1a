/** Reconciliation within this process, by the worker's own configuration. */
import { toIntakeError } from '../../activities/failures.ts';
import { type Finding, reconcilePage } from '../../activities/reconciliation/reconcile.ts';
import { loadConfig } from '../config.ts';
import { buildReconciliation, buildShared } from '../dependencies.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { allPasses, type Pass } from '../domain/reconciliation.ts';
import { createLogger } from '../observability/logger.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { dataConverterOf } from '../temporal/data-converter.ts';
import { operatorEnvironment } from './operator-environment.ts';

export interface Reconciled {
  readonly findings: readonly Finding[];
  /** Passes that a party out of order kept from finishing. */
  readonly brokenOff: readonly { readonly pass: Pass; readonly code: ErrorCode }[];
}

export async function reconcileAll({
  dryRun,
  afterRestore,
}: {
  readonly dryRun: boolean;
  readonly afterRestore: boolean;
}): Promise<Reconciled> {
  // What is found is the result: stdout takes nothing else.
  const environment = operatorEnvironment();
  const logger = createLogger('cli', 'silent');
  const config = loadConfig(environment);
  const dataConverter = dataConverterOf(config);
  const temporal = createTemporalClient({ dataConverter, onFault: () => undefined }, environment);
  const shared = buildShared(config, logger, temporal);
  const { signal } = new AbortController();
  const scene = { ...buildReconciliation(shared), signal, now: new Date(), afterRestore };
  const findings: Finding[] = [];
  const brokenOff: { pass: Pass; code: ErrorCode }[] = [];
  const onFinding = (finding: Finding) => findings.push(finding);
  try {
    for (const pass of allPasses) {
      try {
        let cursor: string | undefined;
        do cursor = await reconcilePage(scene, pass, { cursor, dryRun, onFinding });
        while (cursor !== undefined);
      } catch (error) {
        brokenOff.push({ pass, code: toIntakeError(error).code });
      }
    }
    return { findings, brokenOff };
  } finally {
    await shared.close();
  }
}
