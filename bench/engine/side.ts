/** One of the two roads of the comparison, as the bench drives it. */

export interface Side {
  readonly name: 'intake' | 'bare';
  /** The document is known and its run waits, under its start delay, for the bytes. */
  announce(): Promise<Announced>;
}

export interface Announced {
  readonly workflowId: string;
  /** Puts the bytes where they belong; nobody's time but the storage's. */
  upload(): Promise<void>;
  /** Says that the bytes are there: from here on the run goes to its end without us. */
  confirm(): Promise<void>;
}
