/**
 * One call of the SDK under one deadline that covers the body too (the SDK's own ends with the headers),
 * its body read up to a cap and checked against a schema, its errors translated once.
 * The SDK's own reading is passed by: it takes a proxy's HTML page for a string and, in lists, for no items at all.
 */
import type { z } from 'zod';
import { type ErrorCode, IntakeError } from '../domain/errors.ts';
import type { WithinBudget } from '../provider-budget/provider-budget.ts';
import { classifyCallError } from './classify-parse-error.ts';

export interface SdkOptions {
  readonly signal: AbortSignal;
  readonly timeout: number;
  /** Temporal retries. A create that the SDK repeats by itself may be a second paid job. */
  readonly maxRetries: 0;
}

export interface LlamaParseCall {
  readonly send: (options: SdkOptions) => { asResponse(): Promise<Response> };
  readonly about: 'submission' | 'job';
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly withinBudget: WithinBudget;
}

/** Rejects with the caller's own abort reason when the caller gave up, else with an `IntakeError`. */
export function callLlamaParse<Answer>(
  call: LlamaParseCall,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  return call.withinBudget(() => callOnce(call, read), call.signal);
}

async function callOnce<Answer>(
  call: LlamaParseCall,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  const { timeoutMs: timeout } = call;
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeout)]);
  try {
    return await read(await call.send({ signal, timeout, maxRetries: 0 }).asResponse());
  } catch (error) {
    call.signal.throwIfAborted();
    throw classifyCallError(error, { about: call.about, now: new Date() });
  }
}

interface BodyLimit {
  readonly maxBytes: number;
  readonly code: ErrorCode;
}

const SMALL_ANSWER: BodyLimit = { maxBytes: 4 * 1024 * 1024, code: 'LLAMAPARSE_SERVER_ERROR' };

/** Reads a JSON body of this shape; a longer one than the limit is given up with the limit's code. */
export function json<Answer>(schema: z.ZodType<Answer>, limit: BodyLimit = SMALL_ANSWER) {
  return async (response: Response): Promise<Answer> =>
    schema.parse(JSON.parse(await readText(response, limit)));
}

/** For calls whose answer says nothing that we need. Read all the same: a body left unread costs its connection. */
export async function nothing(response: Response): Promise<void> {
  await readText(response, SMALL_ANSWER);
}

async function readText(response: Response, limit: BodyLimit): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limit.maxBytes) {
      throw new IntakeError(limit.code, { detail: `answer over ${limit.maxBytes} bytes` });
    }
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
