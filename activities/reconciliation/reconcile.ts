/** One page of one pass: looks, heals what can be healed unless it is a dry run, and says what it found. */

import type { ErrorCode } from '../../src/domain/errors.ts';
import type { FindingKind, Pass, Treatment } from '../../src/domain/reconciliation.ts';
import { toIntakeError } from '../failures.ts';
import { lookAtAttempts } from './attempts.ts';
import { lookAtChunks } from './chunks.ts';
import { lookAtDeletions } from './deletions.ts';
import { lookAtErasures } from './erasures.ts';
import type { Found, Look, Scene } from './finding.ts';
import { lookAtFolders, lookAtObjects } from './objects.ts';
import { lookAtParseJobs, lookAtVendorJobs } from './parse-jobs.ts';
import { lookAtRuns } from './runs.ts';

const looks = {
  deletions: lookAtDeletions,
  attempts: lookAtAttempts,
  runs: lookAtRuns,
  erasures: lookAtErasures,
  parseJobs: lookAtParseJobs,
  vendorJobs: lookAtVendorJobs,
  chunks: lookAtChunks,
  objects: lookAtObjects,
  folders: lookAtFolders,
} as const satisfies Record<Pass, Look>;

export interface Finding extends Pick<Found, 'id' | 'since'> {
  readonly kind: FindingKind;
  readonly treatment: Treatment;
  /** Why it could not be healed. */
  readonly code?: ErrorCode;
}

export interface PageOptions {
  readonly cursor: string | undefined;
  readonly dryRun: boolean;
  readonly onFinding: (finding: Finding) => void;
}

/** Answers where the next page begins, `undefined` behind the last. */
export async function reconcilePage(
  scene: Scene,
  pass: Pass,
  { cursor, dryRun, onFinding }: PageOptions,
): Promise<string | undefined> {
  const look: Look = looks[pass];
  const looking = look(scene, cursor);
  for (;;) {
    scene.signal.throwIfAborted();
    const step = await looking.next();
    if (step.done) return step.value;
    const { kind, id, since } = step.value;
    const treated = await treat(scene, step.value, dryRun);
    onFinding({ kind, id, since, ...treated });
  }
}

type Treated = Pick<Finding, 'treatment' | 'code'>;

/** What could not be healed keeps nobody else waiting: the next round finds it again. */
async function treat(
  { logger, signal }: Scene,
  { kind, id, heal }: Found,
  dryRun: boolean,
): Promise<Treated> {
  if (heal === undefined) {
    logger.warn({ finding: kind, id }, 'reconciliation: reported');
    return { treatment: 'reported' };
  }
  if (dryRun) return { treatment: 'pending' };
  try {
    await heal();
    logger.info({ finding: kind, id }, 'reconciliation: healed');
    return { treatment: 'healed' };
  } catch (error) {
    if (signal.aborted) throw error;
    const translated = toIntakeError(error);
    logger.warn({ err: translated, finding: kind, id }, 'reconciliation: not healed');
    return { treatment: 'failed', code: translated.code };
  }
}
