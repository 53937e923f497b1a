/**
 * What reconciliation looks for, as data: what a finding means, what heals it or whose turn it is, and how long
 * something must have stood like this, since what is on its way looks the same for a moment.
 */
import type { Turn } from './errors.ts';

export type FindingKind =
  | 'row-without-run'
  | 'run-ahead-of-row'
  | 'run-without-row'
  | 'run-not-stopped'
  | 'run-without-worker'
  | 'erasure-without-run'
  | 'deletion-forgotten'
  | 'chunks-without-document'
  | 'upload-without-row'
  | 'object-without-row'
  | 'row-without-object'
  | 'parse-job-without-attempt'
  | 'attempt-without-answer'
  | 'parse-job-not-forgotten';

interface FindingDefinition {
  readonly means: string;
  /** What is done about it; a kind that is only reported says whose turn it is. */
  readonly remedy: { readonly heals: string } | { readonly turn: Turn; readonly reports: string };
  readonly grace: { readonly ms: number; readonly reason: string };
}

const minute = 60_000;
const hour = 60 * minute;

const startUnderWay = { ms: 5 * minute, reason: 'a start, a stamp or an end may be on its way' };
const none = (reason: string) => ({ ms: 0, reason });

export const findingKinds: Readonly<Record<FindingKind, FindingDefinition>> = {
  'row-without-run': {
    means: 'an unfinished attempt whose run is lost, or closed without its outcome being written',
    remedy: { heals: 'writes the outcome of the run that closed, else starts a new run' },
    grace: startUnderWay,
  },
  'run-ahead-of-row': {
    means: 'an open run that remembers what its row has forgotten; told only by `--after-restore`',
    remedy: { heals: 'terminates the run and starts a new one from what the rows have' },
    grace: none('an operator says that the database was restored'),
  },
  'run-without-row': {
    means: 'an open run whose document has no row: it does nothing, and ends after its deadline',
    remedy: { turn: 'us', reports: 'restore the row, or end such runs by `--after-restore`' },
    grace: startUnderWay,
  },
  'run-not-stopped': {
    means: 'an open run of an attempt that was cancelled, deleted or superseded',
    remedy: { heals: 'cancels the run' },
    grace: startUnderWay,
  },
  'run-without-worker': {
    means: 'an open run of a version of the workers that has none any more: it stands still',
    remedy: {
      turn: 'us',
      reports: 'start workers of that version again, or move its runs: ops/runbooks/new-version.md',
    },
    grace: startUnderWay,
  },
  'erasure-without-run': {
    means: 'a deleted document that is not erased, and no run erases it',
    remedy: { heals: 'starts its erasure again' },
    grace: startUnderWay,
  },
  'deletion-forgotten': {
    means: 'a deleted document without its tombstone: the database was restored from before',
    remedy: { heals: 'buries the document again; its erasure follows' },
    grace: none('the row is older than its deletion: nothing else looks like this'),
  },
  'chunks-without-document': {
    means: 'chunks of a document that is erased or has no row',
    remedy: { heals: 'removes the chunks and their vectors' },
    grace: none('chunks are written under the lock of their document'),
  },
  'upload-without-row': {
    means: 'bytes of a document that waits for them, under a key that no row knows',
    remedy: { heals: 'writes the key down, so that the document looks there' },
    grace: none('keys are written down before their bytes come'),
  },
  'object-without-row': {
    means: 'an object under our prefixes that no row knows',
    remedy: { heals: 'removes the object' },
    grace: {
      ms: 24 * hour,
      reason: 'no upload lives as long; after a restore it may be the last trace of a document',
    },
  },
  'row-without-object': {
    means: 'verified bytes or Markdown that are no longer in storage',
    remedy: { turn: 'us', reports: 'find out who removed it, and put it back if you can' },
    grace: startUnderWay,
  },
  'parse-job-without-attempt': {
    means: 'a parse job of ours at the vendor that no row knows',
    remedy: { heals: 'cancels and deletes the job and its upload at the vendor' },
    grace: startUnderWay,
  },
  'attempt-without-answer': {
    means: 'a parse job that was never answered, and every attempt that asked has ended',
    remedy: { heals: 'stops the job at the vendor and closes its row' },
    grace: startUnderWay,
  },
  'parse-job-not-forgotten': {
    means:
      'a parse job that nobody needs any more, and of which the vendor may still have something',
    remedy: { heals: 'deletes the job and its upload at the vendor' },
    grace: startUnderWay,
  },
};

/**
 * One way of looking each, in this order: what was deleted is buried, and bytes are given to who waits for them, before
 * anything is started again. `day`: it walks everything that is stored.
 */
export const passes = {
  deletions: 'day',
  objects: 'day',
  attempts: 'hour',
  runs: 'hour',
  erasures: 'hour',
  parseJobs: 'hour',
  vendorJobs: 'hour',
  chunks: 'day',
  folders: 'day',
} as const satisfies Record<string, 'hour' | 'day'>;

export type Pass = keyof typeof passes;
export const allPasses = Object.keys(passes) as readonly Pass[];

/** `pending`: a dry run heals nothing. `reported`: whose turn it is, somebody else. */
export type Treatment = 'healed' | 'pending' | 'reported' | 'failed';

/** How many were found, by kind and by what became of them: no ids, since it travels through Temporal. */
export type Tally = Partial<Record<FindingKind, Partial<Record<Treatment, number>>>>;

export function addTally(sum: Tally, more: Tally): Tally {
  const kinds = [...Object.keys(sum), ...Object.keys(more)] as FindingKind[];
  return Object.fromEntries(
    kinds.map((kind) => {
      const counts = { ...sum[kind] };
      for (const [treatment, count] of Object.entries(more[kind] ?? {})) {
        const key = treatment as Treatment;
        counts[key] = (counts[key] ?? 0) + count;
      }
      return [kind, counts];
    }),
  );
}
