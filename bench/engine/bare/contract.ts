/** What the bench asks of the bare engine's process. */

export interface BareSettings {
  readonly temporalAddress: string;
  readonly taskQueue: string;
  /** How long after a submit the parser's signal comes. */
  readonly parserDelayMs: number;
  /** Summaries, details and search attributes as Intake's runs have them. */
  readonly dressed: boolean;
}

export interface BareCommand {
  readonly id: number;
  readonly command: 'start' | 'confirm';
  readonly workflowId: string;
}

export interface BareAnswer {
  readonly id: number;
  readonly error?: string;
}

export interface BareInput {
  readonly documentId: string;
  readonly dressed: boolean;
}

export const BARE_WORKFLOW = 'bareDocument';
