/**
 * Chunking away from the event loop, where heartbeats live, and where hostile Markdown can be stopped: by a
 * deadline, by a memory limit, or by the caller's abort, which rejects with the signal's own reason.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Chunk, PageOffset } from '../domain/chunk.ts';
import { IntakeError } from '../domain/errors.ts';
import type { ChunkAnswer, ChunkJob, ChunkThreadData, TextlessChunk } from './chunk-thread.ts';
import { requireMaxTokens } from './split-markdown.ts';
import { ThreadPool } from './thread-pool.ts';

export interface ChunkPoolOptions extends ChunkThreadData {
  /** Most threads. Two, so that one document at its deadline does not hold up all others. */
  readonly threads?: number;
  readonly deadlineMs?: number;
  readonly memoryLimitMb?: number;
}

export interface ChunkedDocument {
  readonly chunks: readonly Chunk[];
  /** Name of the Postgres text search configuration of its language. */
  readonly textSearchConfig: string;
}

export interface ChunkPool {
  /** Throws `DOCUMENT_CHUNKING_FAILED`. */
  split(
    markdown: string,
    pages: readonly PageOffset[],
    signal: AbortSignal,
  ): Promise<ChunkedDocument>;
  close(): Promise<void>;
}

/** Threads stay warm: starting one and loading its tokenizer takes longer than most documents. */
export function createChunkPool(options: ChunkPoolOptions): ChunkPool {
  const { tokenizer, maxTokens, threads = 2, deadlineMs = 300_000, memoryLimitMb = 1024 } = options;
  requireMaxTokens(maxTokens);
  const pool = new ThreadPool<ChunkJob, ChunkAnswer>({
    script: new URL('./chunk-thread.ts', import.meta.url),
    size: threads,
    workerData: { tokenizer, maxTokens } satisfies ChunkThreadData,
    resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
  });
  return {
    async split(markdown, pages, signal) {
      const answer = await pool.run({ markdown, pages }, { deadlineMs, signal }).catch((cause) => {
        signal.throwIfAborted();
        if (cause instanceof IntakeError) throw cause;
        const detail = reasonOf(cause);
        throw new IntakeError('DOCUMENT_CHUNKING_FAILED', { detail, cause });
      });
      const { textSearchConfig } = answer;
      return { chunks: await readBatches(answer, markdown), textSearchConfig };
    },
    close: () => pool.close(),
  };
}

/** `ThreadDeadlineError`, `ERR_WORKER_OUT_OF_MEMORY`, …; a message might quote the document. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  return 'code' in cause ? String(cause.code) : cause.name;
}

async function readBatches({ batches }: ChunkAnswer, markdown: string): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = [];
  for (const batch of batches) {
    const textless: readonly TextlessChunk[] = JSON.parse(batch);
    for (const chunk of textless) {
      chunks.push({ ...chunk, text: markdown.slice(chunk.startOffset, chunk.endOffset) });
    }
    await nextTurn();
  }
  return chunks;
}
