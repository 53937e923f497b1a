/** Reads one document whatever it does: text files here, everything else in a killable process, twice if the first died. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from './parse-document.ts';
import type { ParseOutcome, ParseSettings } from './parse-outcome.ts';
import { createPermits } from './permits.ts';
import { type ChildEnd, type ChildLimits, runParseChild } from './run-parse-child.ts';

export interface ReaderOptions {
  /** Processes at once. */
  readonly concurrency: number;
  readonly limits: ChildLimits;
}

export interface DocumentReader {
  read(
    path: string,
    settings: ParseSettings,
    signal: AbortSignal,
  ): Promise<ParseOutcome | 'cancelled'>;
}

export function createDocumentReader({ concurrency, limits }: ReaderOptions): DocumentReader {
  const permits = createPermits(concurrency);

  async function inProcess(inputPath: string, settings: ParseSettings, signal: AbortSignal) {
    const folder = await mkdtemp(join(tmpdir(), 'intake-parse-'));
    try {
      const outputPath = join(folder, 'outcome.json');
      return await runParseChild({ inputPath, outputPath, settings, limits }, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  return {
    async read(path, settings, signal) {
      // Decoding cannot hang or explode, and a process costs a hundred times as much.
      if (settings.mediaType === 'text/markdown' || settings.mediaType === 'text/plain') {
        return parseDocument(path, settings, () => undefined);
      }
      const first = await permits.use(() => inProcess(path, settings, signal));
      if (first !== 'crash' && first !== 'deadline') return toOutcome(first);
      // A neighbour may have taken the memory or the time: once more, alone.
      const alone = () => inProcess(path, settings, signal);
      return toOutcome(await permits.use(alone, { alone: true }));
    },
  };
}

function toOutcome(end: ChildEnd): ParseOutcome | 'cancelled' {
  switch (end) {
    case 'crash':
      return { ok: false, word: 'DOCUMENT_TOO_LARGE' };
    case 'deadline':
      return { ok: false, word: 'TIMEOUT' };
    case 'fault':
      return { ok: false, word: 'INTERNAL_ERROR' };
    default:
      return end;
  }
}
