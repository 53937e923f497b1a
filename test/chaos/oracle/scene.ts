/** What the oracle looks at. */
import type { Client } from '@temporalio/client';
import type { Queryable } from '../../../src/db/pool.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import type { Ledgers } from '../ground.ts';

export interface Scene {
  readonly database: Queryable;
  readonly objectStore: ObjectStore;
  readonly temporal: Client;
  readonly ledgers: Ledgers;
  readonly logs: string;
  /** A word of every document's text and name. */
  readonly canary: string;
  /** Whose documents are looked at. */
  readonly owners: readonly string[];
  /** How many inputs of a document the embedder may have answered twice: of sub-batches that a fault kept from being written. */
  readonly mayRepeat: (documentId: string) => number;
  /** What the owner's own search for the canary finds, as document ids. */
  readonly search: (ownerId: string, documentId: string) => Promise<readonly string[]>;
}

export interface Check {
  /** Its number in ARCHITECTURE.md. */
  readonly invariant: number;
  readonly name: string;
  readonly find: (scene: Scene) => Promise<readonly string[]>;
}
