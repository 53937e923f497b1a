/** What a pass yields: a finding, and how to heal it where it can be healed. */
import type { FindingKind } from '../../src/domain/reconciliation.ts';
import type { ActivityDependencies } from '../dependencies.ts';

export type ReconciliationDependencies = Pick<
  ActivityDependencies,
  'pool' | 'objectStore' | 'parser' | 'runs' | 'logger'
>;

export interface Scene extends ReconciliationDependencies {
  readonly signal: AbortSignal;
  readonly now: Date;
  /**
   * An operator has restored a store and says so: API and worker stand still, so nothing is on its way and no grace is
   * needed; runs that the database has never heard of are ended.
   */
  readonly afterRestore: boolean;
}

export interface Found {
  readonly kind: FindingKind;
  /** Of a document, an attempt, a parse job, or the key of an object. */
  readonly id: string;
  readonly since: Date;
  /** Absent where it is only reported. Looks again before it writes: it may be late. */
  readonly heal?: () => Promise<unknown>;
}

/** Yields what it finds and returns where the next page begins, `undefined` behind the last. */
export type Look = (
  scene: Scene,
  cursor: string | undefined,
) => AsyncGenerator<Found, string | undefined>;
