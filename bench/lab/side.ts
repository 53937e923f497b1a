/** One of the pipelines that are compared, as its people and the oracle see it. */
import type { DocumentPlan } from './scenario.ts';

export const sideNames = ['control', 'fixed-control', 'intake'] as const;
export type SideName = (typeof sideNames)[number];

export interface Side {
  readonly name: SideName;
  /** The person says what is to come. */
  announce(plan: DocumentPlan): Promise<Announced>;
  /** Documents that have not ended. */
  open(): Promise<number>;
  /** Every document as its rows say. */
  look(): Promise<ReadonlyMap<string, Seen>>;
  /** kill -9 to one of its workers; it is started again. */
  killWorker(): void;
}

export interface Announced {
  readonly documentId: string;
  /** The person sends the bytes. */
  upload(): Promise<void>;
  /** Where the pipeline wants to be told that they are there. */
  confirm(): Promise<void>;
  /** The document goes away in the middle of the work. */
  remove(): Promise<void>;
}

export interface Seen {
  /** In the pipeline's own words. */
  readonly status: string;
  readonly end: 'searchable' | 'failed' | 'open' | 'gone';
  /** What the owner was told at the end. */
  readonly code: string | undefined;
  readonly endedAtMs: number | undefined;
  /** The chunks that a search would find. */
  readonly texts: readonly string[];
}
