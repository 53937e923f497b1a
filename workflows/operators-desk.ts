/**
 * What operators may ask of a run, as updates with an answer: poll the parser now, extend the deadline, fail. Each is
 * written into the timeline with the name that its sender gave.
 */
import {
  ApplicationFailure,
  type CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { AttemptRef } from '../activities/contract.ts';
import type { ErrorCode } from '../src/domain/errors.ts';
import {
  type Asked,
  actorFault,
  type ExtendRequest,
  type FailRequest,
  type OperatorAnswer,
  reasonFault,
  untilFault,
  updateNames,
} from '../src/domain/operators.ts';
import { failureCode } from './failure.ts';
import type { Tools } from './tools.ts';

const pollUpdate = defineUpdate<OperatorAnswer, [Asked]>(updateNames.poll);
const extendUpdate = defineUpdate<OperatorAnswer, [ExtendRequest]>(updateNames.extend);
const failUpdate = defineUpdate<OperatorAnswer, [FailRequest]>(updateNames.fail);

export interface OperatorsDesk {
  /** The operator who wants the run to fail. */
  failedBy(): FailRequest | undefined;
  /** Tells those who still wait how it ended. */
  close(outcome: ErrorCode | 'complete'): void;
}

/** Opened before the first await. `road` is what the run is about, and what failing it stops. */
export function openDesk(
  ref: AttemptRef,
  road: CancellationScope,
  { activities, inbox, story, deadlines }: Tools,
): OperatorsDesk {
  let failedBy: FailRequest | undefined;
  let outcome: ErrorCode | 'complete' | undefined;

  setHandler(
    pollUpdate,
    async ({ actor }) => {
      const parseJobId = story.awaitedJob();
      // The validator has seen it, and nothing has happened since.
      if (parseJobId === undefined) throw notPossible(story.waiting().words);
      await activities.recordCommand({ ...ref, actor, name: 'poll' });
      try {
        const { state } = await activities.pollParseNow({ ...ref, parseJobId });
        if (state === 'ended') inbox.hear(parseJobId);
        return { parser: state, answer: parserSays[state] };
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { parser: 'no answer', answer: `The parser does not answer: ${failureCode(error)}` };
      }
    },
    {
      description: 'Ask the parser now how the job stands. Argument: {"actor": "who asks"}',
      validator: (request) =>
        refuse(actorFault(request?.actor), () =>
          story.awaitedJob() === undefined
            ? `It does not wait for the parser: ${story.waiting().words}`
            : undefined,
        ),
    },
  );

  setHandler(
    extendUpdate,
    async ({ actor, until }) => {
      const deadlineAtMs = Date.parse(until);
      const { wait, words } = story.waiting();
      if (wait) deadlines.extend(wait, deadlineAtMs);
      story.extend(deadlineAtMs);
      await activities.recordCommand({ ...ref, actor, name: 'extend', deadlineAtMs });
      const deadline = new Date(deadlineAtMs).toISOString();
      return { deadline, answer: `May last until ${deadline}: ${words}` };
    },
    {
      description:
        'Move the deadline of what it waits for away. Argument: {"actor": "who asks", "until": "2026-11-24T23:00:00Z"}',
      validator: (request) => {
        const { wait, deadlineAtMs: deadlineMs } = story.waiting();
        const fault = untilFault(request?.until, { nowMs: Date.now(), deadlineMs });
        refuse(actorFault(request?.actor) ?? fault, () =>
          wait === undefined ? 'It waits for nothing.' : whenOver(),
        );
      },
    },
  );

  setHandler(
    failUpdate,
    async (request) => {
      failedBy = { actor: request.actor, reason: request.reason };
      road.cancel();
      await condition(() => outcome !== undefined);
      if (outcome === 'FAILED_BY_OPERATOR') return { answer: 'Failed, as you asked.' };
      throw notPossible(`The document was faster: ${outcome}`);
    },
    {
      description:
        'End the document as failed; it can be retried. Argument: {"actor": "who asks", "reason": "what the owner reads"}',
      validator: (request) =>
        refuse(actorFault(request?.actor) ?? reasonFault(request?.reason), () =>
          failedBy === undefined ? whenOver() : `${failedBy.actor} was faster.`,
        ),
    },
  );

  const whenOver = () => (outcome === undefined ? undefined : `It is over: ${outcome}`);
  return {
    failedBy: () => failedBy,
    close: (how) => {
      outcome = how;
    },
  };
}

const parserSays = {
  pending: 'The parser is still at work.',
  ended: 'The parser has ended: the result is being collected.',
} as const;

/** Nothing of a refused update enters the history. */
function refuse(fault: string | undefined, obstacle: () => string | undefined): void {
  if (fault !== undefined) throw ApplicationFailure.nonRetryable(fault, 'INVALID_REQUEST');
  const reason = obstacle();
  if (reason !== undefined) throw notPossible(reason);
}

function notPossible(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, 'NOT_POSSIBLE_NOW' satisfies ErrorCode);
}
