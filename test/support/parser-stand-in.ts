/** A parser stand-in with a fresh data folder, its fault script, and the real adapter pointed at it. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { vi } from 'vitest';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import {
  type ParserStandInOptions,
  startParserStandIn,
} from '../../src/dev/parser-stand-in/parser-stand-in.ts';
import type { ParseJobId } from '../../src/domain/ids.ts';
import { type MediaType, mediaTypes } from '../../src/domain/media-types.ts';
import {
  createLlamaParseParser,
  type LlamaParseOptions,
} from '../../src/parsing/llamaparse-parser.ts';
import type { ParseRequest, Parser, ParseState } from '../../src/parsing/parser.ts';
import { unlimited } from './unlimited.ts';

export interface TestParser {
  readonly url: string;
  readonly dataFolder: string;
  readonly faults: FaultClient;
  readonly parser: Parser;
  /** Closes the server; what it remembers stays until `close`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const SIGNING_SECRET = 'a secret of the tests';
const API_KEY = 'llx-test-key';

export async function startTestParser(
  settings: Partial<ParserStandInOptions> = {},
  adapter: Partial<LlamaParseOptions> = {},
): Promise<TestParser> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'intake-parser-'));
  const options = { dataFolder, apiKey: API_KEY, ...settings };
  let standIn = await startParserStandIn(options);
  const { url } = standIn;
  return {
    url,
    dataFolder,
    faults: createFaultClient(url),
    parser: createLlamaParseParser({ ...adapterDefaults, baseUrl: url, ...adapter }),
    async restart() {
      await standIn.close();
      standIn = await startParserStandIn({ ...options, port: Number(new URL(url).port) });
    },
    async close() {
      await standIn.close();
      await rm(dataFolder, { recursive: true });
    },
  };
}

export const adapterDefaults = {
  withinBudget: unlimited,
  apiKey: API_KEY,
  tier: 'cost_effective',
  version: '2026-08-19',
  maxPages: 2_000,
  maxFailedPagesPercent: 5,
  signingSecret: SIGNING_SECRET,
  installations: ['these-tests'],
} as const;

export function newParseJobId(): ParseJobId {
  return randomUUID() as ParseJobId;
}

export function mediaTypeOf(path: string): MediaType {
  const ending = extname(path).slice(1);
  const found = (Object.keys(mediaTypes) as MediaType[]).find(
    (type) => mediaTypes[type].extension === ending,
  );
  if (found === undefined) throw new Error(`${ending}: no type of Intake's`);
  return found;
}

/** A request for one file of the disk. */
export async function requestFor(
  path: string,
  changes: Partial<ParseRequest> = {},
): Promise<ParseRequest> {
  return {
    parseJobId: newParseJobId(),
    mediaType: mediaTypeOf(path),
    sizeBytes: (await stat(path)).size,
    content: async () => createReadStream(path),
    callbackUrl: undefined,
    beforeCreate: async () => undefined,
    signal: AbortSignal.timeout(60_000),
    ...changes,
  };
}

/** Polls until the job has ended. */
export function untilEnded(
  parser: Parser,
  providerJobId: string,
  timeout = 60_000,
): Promise<ParseState> {
  return vi.waitFor(
    async () => {
      const answer = await parser.state(providerJobId, AbortSignal.timeout(timeout));
      if (answer.state === 'pending') throw new Error('still pending');
      return answer;
    },
    { timeout, interval: 50 },
  );
}
