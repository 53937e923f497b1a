/**
 * The wait for the parser: the webhook wakes it, silence makes it poll with growing intervals, a deadline ends it.
 * The first of signal and poll wins; only the result fetched with our own credentials decides.
 */
import { condition, isCancellation } from '@temporalio/workflow';
import type { AttemptRef, CollectResult, SubmitParseResult } from '../activities/contract.ts';
import type { ErrorCode } from '../src/domain/errors.ts';
import type { ParseJobId } from '../src/domain/ids.ts';
import type { IngestPolicy } from '../src/domain/run.ts';
import type { Activities } from './activity-options.ts';
import { failureCode, failWith, orOutOfPatience } from './failure.ts';
import type { Inbox } from './messages.ts';
import { tell } from './story.ts';

type Stored = Extract<CollectResult, { state: 'stored' }>;
interface Tools {
  readonly activities: Activities;
  readonly inbox: Inbox;
}

/**
 * Submits, waits and collects; an attempt that starts at collect takes the Markdown that an earlier one stored. A
 * result that is lost, at the vendor or in our store, is asked for once more under a new job.
 */
export async function parseDocument(
  ref: AttemptRef,
  policy: IngestPolicy,
  tools: Tools & { readonly fromStored: boolean; readonly onSubmitted: (job: ParseJobId) => void },
): Promise<Stored> {
  const { activities, fromStored, onSubmitted } = tools;
  for (let lost = false; ; lost = true) {
    try {
      if (fromStored && !lost) return await collectStored(ref, activities);
      tell('parse', {});
      const submitted = await orOutOfPatience(activities.submitParse(ref), outOfPatience);
      if (!lost) onSubmitted(submitted.parseJobId);
      return await awaitResult(ref, submitted, { policy, ...tools });
    } catch (error) {
      if (lost || failureCode(error) !== 'LLAMAPARSE_RESULT_EXPIRED') throw error;
    }
  }
}

async function collectStored(ref: AttemptRef, activities: Activities): Promise<Stored> {
  tell('collect', {});
  const result = await orOutOfPatience(activities.collect(ref), outOfPatience);
  if (result.state === 'stored') return result;
  throw failWith('LLAMAPARSE_RESULT_EXPIRED');
}

async function awaitResult(
  ref: AttemptRef,
  { parseJobId, adopted }: SubmitParseResult,
  { policy, activities, inbox }: Tools & { readonly policy: IngestPolicy },
): Promise<Stored> {
  const deadlineAtMs = Date.now() + policy.parseDeadlineMs;
  let intervalMs = policy.pollFirstMs;
  // The webhook of an adopted job may have spoken to the attempt before.
  let heard = adopted;
  for (;;) {
    if (!heard) {
      const leftMs = deadlineAtMs - Date.now();
      if (leftMs <= 0) throw failWith('PARSE_TIMEOUT');
      tell('awaitParse', { deadlineAtMs, parseJobId });
      heard = await condition(() => inbox.heardFrom(parseJobId), Math.min(intervalMs, leftMs));
    }
    inbox.takeWordOf(parseJobId);
    if (!heard) {
      intervalMs = Math.min(intervalMs * 2, policy.pollMaxMs);
      if (!(await hasEnded(ref, parseJobId, activities))) continue;
    }
    tell('collect', { parseJobId });
    const result = await orOutOfPatience(activities.collect({ ...ref, parseJobId }), outOfPatience);
    if (result.state === 'stored') return result;
    heard = false;
  }
}

/** A poll without an answer counts as 'not yet': the deadline is the end of that. */
async function hasEnded(
  ref: AttemptRef,
  parseJobId: ParseJobId,
  activities: Activities,
): Promise<boolean> {
  try {
    return (await activities.pollParse({ ...ref, parseJobId })).state === 'ended';
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
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
