/**
 * The wait for the parser: the webhook wakes it, silence makes it poll with growing intervals, a deadline ends it.
 * The first of signal and poll wins; only the result fetched with our own credentials decides.
 */
import { condition, isCancellation } from '@temporalio/workflow';
import type {
  AttemptRef,
  CollectRef,
  CollectResult,
  SubmitParseResult,
} from '../activities/contract.ts';
import type { ErrorCode } from '../src/domain/errors.ts';
import type { ParseJobId } from '../src/domain/ids.ts';
import type { IngestPolicy } from '../src/domain/run.ts';
import type { Activities } from './activity-options.ts';
import { failureCode, failWith, orOutOfPatience } from './failure.ts';
import type { Tools } from './tools.ts';

type Stored = Extract<CollectResult, { state: 'stored' }>;

interface Road {
  readonly fromStored: boolean;
  readonly onSubmitted: (job: ParseJobId) => void;
}

/**
 * Submits, waits and collects; an attempt that starts at collect takes the Markdown that an earlier one stored. A
 * result that is lost, at the vendor or in our store, is asked for once more under a new job.
 */
export async function parseDocument(
  ref: AttemptRef,
  policy: IngestPolicy,
  { fromStored, onSubmitted, ...tools }: Tools & Road,
): Promise<Stored> {
  for (let lost = false; ; lost = true) {
    try {
      if (fromStored && !lost) return await collectStored(ref, policy, tools);
      const submitted = await submit(ref, policy, tools);
      if (!lost) onSubmitted(submitted.parseJobId);
      return await awaitResult(ref, submitted, { policy, ...tools });
    } catch (error) {
      if (lost || failureCode(error) !== 'LLAMAPARSE_RESULT_EXPIRED') throw error;
    }
  }
}

async function submit(
  ref: AttemptRef,
  { parserPatienceMs: ms }: IngestPolicy,
  { activities, story, deadlines }: Tools,
): Promise<SubmitParseResult> {
  story.tell('parse', { deadlineAtMs: Date.now() + ms });
  return await orOutOfPatience(
    { ms, endsAtMs: (plannedAtMs) => deadlines.of('submit', plannedAtMs) },
    (patienceMs) => activities.submitParse(ref, patienceMs),
    outOfPatience,
  );
}

async function collectStored(ref: AttemptRef, policy: IngestPolicy, tools: Tools): Promise<Stored> {
  const result = await collect(ref, policy, tools);
  if (result.state === 'stored') return result;
  throw failWith('LLAMAPARSE_RESULT_EXPIRED');
}

async function collect(
  ref: CollectRef,
  { storagePatienceMs: ms }: IngestPolicy,
  { activities, story, deadlines }: Tools,
): Promise<CollectResult> {
  const { parseJobId } = ref;
  story.tell('collect', { deadlineAtMs: Date.now() + ms, ...(parseJobId && { parseJobId }) });
  return await orOutOfPatience(
    { ms, endsAtMs: (plannedAtMs) => deadlines.of('collect', plannedAtMs) },
    (patienceMs) => activities.collect(ref, patienceMs),
    outOfPatience,
  );
}

async function awaitResult(
  ref: AttemptRef,
  { parseJobId, adopted }: SubmitParseResult,
  { policy, ...tools }: Tools & { readonly policy: IngestPolicy },
): Promise<Stored> {
  const { activities, inbox, story, deadlines } = tools;
  const plannedAtMs = Date.now() + policy.parseDeadlineMs;
  let intervalMs = policy.pollFirstMs;
  let lastError: ErrorCode | undefined;
  let round = 1;
  // The webhook of an adopted job may have spoken to the attempt before.
  let heard = adopted;
  for (;;) {
    if (!heard) {
      const deadlineAtMs = deadlines.of('parser', plannedAtMs);
      const leftMs = deadlineAtMs - Date.now();
      if (leftMs <= 0) throw failWith('PARSE_TIMEOUT', { cause: lastError });
      const pauseMs = Math.min(intervalMs, leftMs);
      const nextAtMs = Date.now() + pauseMs;
      story.tell('awaitParse', { round, lastError, deadlineAtMs, nextAtMs, parseJobId });
      heard = await condition(() => inbox.heardFrom(parseJobId), pauseMs, {
        summary: `until the parser speaks, or poll ${round}`,
      });
    }
    inbox.takeWordOf(parseJobId);
    if (!heard) {
      intervalMs = Math.min(intervalMs * 2, policy.pollMaxMs);
      round += 1;
      const polled = await poll(ref, parseJobId, activities);
      lastError = polled.lastError;
      if (!polled.hasEnded) continue;
    }
    const result = await collect({ ...ref, parseJobId }, policy, tools);
    if (result.state === 'stored') return result;
    heard = false;
  }
}

interface Polled {
  readonly hasEnded: boolean;
  readonly lastError?: ErrorCode | undefined;
}

/** A poll without an answer counts as 'not yet': the deadline is the end of that. */
async function poll(
  ref: AttemptRef,
  parseJobId: ParseJobId,
  activities: Activities,
): Promise<Polled> {
  try {
    const { state } = await activities.pollParse({ ...ref, parseJobId });
    return { hasEnded: state === 'ended' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { hasEnded: false, lastError: failureCode(error) };
  }
}

/** The named end of a patience, by what it was that did not come back. */
function outOfPatience(code: ErrorCode | undefined): ErrorCode {
  if (code === undefined || code.startsWith('LLAMAPARSE')) return 'PARSER_OUT_OF_PATIENCE';
  if (code.startsWith('STORAGE') || code === 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN') {
    return 'STORAGE_OUT_OF_PATIENCE';
  }
  return code;
}
