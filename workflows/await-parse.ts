/**
 * The wait for the parser: the webhook wakes it, silence makes it poll with growing intervals, a deadline ends it.
 * The first of signal and poll wins; only the result fetched with our own credentials decides.
 */
import { ActivityFailure, condition } from '@temporalio/workflow';
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

/** Submits, waits and collects. A result that the vendor lost is asked for once more under a new job. */
export async function parseDocument(
  ref: AttemptRef,
  policy: IngestPolicy,
  tools: Tools & { readonly onSubmitted: (job: ParseJobId) => void },
): Promise<Stored> {
  for (let lost = false; ; lost = true) {
    tell('parse', {});
    const { parseJobId }: SubmitParseResult = await orOutOfPatience(
      tools.activities.submitParse(ref),
      parserGone,
    );
    if (!lost) tools.onSubmitted(parseJobId);
    try {
      return await awaitResult(ref, parseJobId, { policy, ...tools });
    } catch (error) {
      if (lost || failureCode(error) !== 'LLAMAPARSE_RESULT_EXPIRED') throw error;
    }
  }
}

async function awaitResult(
  ref: AttemptRef,
  parseJobId: ParseJobId,
  { policy, activities, inbox }: Tools & { readonly policy: IngestPolicy },
): Promise<Stored> {
  const deadlineAtMs = Date.now() + policy.parseDeadlineMs;
  let intervalMs = policy.pollFirstMs;
  for (;;) {
    const leftMs = deadlineAtMs - Date.now();
    if (leftMs <= 0) throw failWith('PARSE_TIMEOUT');
    tell('awaitParse', { deadlineAtMs, parseJobId });
    const heard = await condition(() => inbox.heardFrom(parseJobId), Math.min(intervalMs, leftMs));
    inbox.takeWordOf(parseJobId);
    if (!heard) {
      intervalMs = Math.min(intervalMs * 2, policy.pollMaxMs);
      if (!(await hasEnded(ref, parseJobId, activities))) continue;
    }
    tell('collect', { parseJobId });
    const result = await orOutOfPatience(activities.collect({ ...ref, parseJobId }), parserGone);
    if (result.state === 'stored') return result;
  }
}

/** A poll without an answer counts as 'not yet': the deadline is the end of that. */
async function hasEnded(
  ref: AttemptRef,
  parseJobId: ParseJobId,
  activities: Activities,
): Promise<boolean> {
  try {
    const { state } = await activities.pollParse({ ...ref, parseJobId });
    return state === 'ended';
  } catch (error) {
    if (!(error instanceof ActivityFailure) || error.cause?.name === 'CancelledFailure')
      throw error;
    const code = failureCode(error);
    if (code !== undefined && endsRun.has(code)) throw error;
    return false;
  }
}

const endsRun: ReadonlySet<ErrorCode> = new Set([
  'ATTEMPT_SUPERSEDED',
  'CANCELLED',
  'DOCUMENT_DELETED',
  'LLAMAPARSE_RESULT_EXPIRED',
]);

function parserGone(code: ErrorCode | undefined): ErrorCode {
  if (code === 'ATTEMPT_ABSENT') return code;
  return code?.startsWith('STORAGE') || code === 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN'
    ? 'STORAGE_OUT_OF_PATIENCE'
    : 'PARSER_OUT_OF_PATIENCE';
}
