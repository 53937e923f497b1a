/** What activities work with; built once in `src/dependencies.ts`. */
import type { Logger } from 'pino';
import type { Pool } from '../src/db/pool.ts';
import type { Chunk, PageOffset } from '../src/domain/chunk.ts';
import type { DocumentId, ParseJobId } from '../src/domain/ids.ts';
import type { Embedder } from '../src/embedding/embedder.ts';
import type { Parser } from '../src/parsing/parser.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import type { RunReadings } from '../src/temporal/run-readings.ts';
import type { Runs } from '../src/temporal/runs.ts';

export interface Chunking {
  /** Name and version; enters the generation's hash. */
  readonly chunker: string;
  readonly tokenizer: string;
  readonly maxTokens: number;
  /** Splits in a killable thread; throws `DOCUMENT_CHUNKING_FAILED` at its deadline. */
  split(
    markdown: string,
    pages: readonly PageOffset[],
    signal: AbortSignal,
  ): Promise<{ readonly chunks: readonly Chunk[]; readonly textSearchConfig: string }>;
}

export interface Limits {
  readonly maxFileBytes: number;
  readonly maxPages: number;
  readonly maxMarkdownBytes: number;
  readonly maxFailedPagesPercent: number;
}

export interface OpenActivity {
  readonly documentId: DocumentId;
  readonly runId: string;
  readonly activityId: string;
}

export interface ActivityDependencies {
  readonly pool: Pool;
  /** Reads go through the circuit breaker. */
  readonly objectStore: ObjectStore;
  readonly parser: Parser;
  readonly embedder: Embedder;
  readonly chunking: Chunking;
  /** Webhook address of a parse job; `undefined` in poll-only mode. */
  readonly callbackUrl: (parseJobId: ParseJobId) => string | undefined;
  /** For reconciliation. */
  readonly runs: Pick<Runs, 'start' | 'stop' | 'erase'> & RunReadings;
  /** The run of a document that is open in Temporal now, if any. */
  readonly openRunId: (documentId: DocumentId) => Promise<string | undefined>;
  /** Whether the try before this one of a run's activity ended because its worker fell silent. */
  readonly wasWorkerLost: (run: OpenActivity) => Promise<boolean>;
  /** Aborted when the worker is told to stop: long activities hand over at their next step. */
  readonly draining: AbortSignal;
  readonly limits: Limits;
  readonly logger: Logger;
}
