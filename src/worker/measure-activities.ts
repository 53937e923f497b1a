/**
 * Measures activities from outside, as an interceptor: tries, failures, time, and the races that a failure's code or a
 * result tells of. What only rows know, they are asked beside the work, which neither waits for it nor fails by it.
 */
import type { Info } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { AttemptRef, CollectRef, CollectResult } from '../../activities/contract.ts';
import { stepOf } from '../../activities/step.ts';
import { endedAttempt, isConfirmed, parseFacts } from '../db/measurements.ts';
import type { Pool } from '../db/pool.ts';
import { type ErrorCode, isErrorCode } from '../domain/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics, RaceKind } from '../observability/metrics.ts';

interface Dependencies {
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly logger: Logger;
}

export function measureActivities(dependencies: Dependencies): ActivityInterceptorsFactory {
  const { metrics, logger } = dependencies;
  const beside = (reading: Promise<void>) => {
    reading.catch((error: unknown) => logger.warn({ err: error }, 'an activity was not measured'));
  };
  return ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        const activity: Activity = { ...dependencies, info, ref: input.args[0] };
        try {
          const result = await next(input);
          countTry(activity, 'success');
          const stage = stepOf(info.activityType);
          const tookMs = Date.now() - info.scheduledTimestampMs;
          metrics.observe('intake_stage_duration_seconds', { stage }, tookMs / 1000);
          beside(measureResult(activity, result));
          return result;
        } catch (error) {
          beside(measureFailure(activity, error));
          throw error;
        }
      },
    },
  });
}

interface Activity extends Dependencies {
  readonly info: Info;
  readonly ref: unknown;
}

function countTry(
  { metrics, info }: Activity,
  outcome: 'success' | 'awaiting' | 'failure' | 'cancelled',
): void {
  metrics.count('intake_stage_tries_total', {
    stage: stepOf(info.activityType),
    try: info.attempt === 1 ? 'first' : 'retry',
    outcome,
  });
}

async function measureResult(activity: Activity, result: unknown): Promise<void> {
  switch (stepOf(activity.info.activityType)) {
    case 'collect':
      return await measureCollected(activity, result as CollectResult);
    case 'embed':
    case 'outcome':
      return await measureEnd(activity);
    default:
  }
}

async function measureCollected(
  { metrics, pool, ref }: Activity,
  result: CollectResult,
): Promise<void> {
  if (result.state === 'pending') {
    metrics.count('intake_races_total', { kind: 'webhook_early' });
    return;
  }
  metrics.count('intake_chunks_total', {}, result.chunks);
  const { parseJobId } = ref as CollectRef;
  const facts = parseJobId && (await parseFacts(pool, parseJobId));
  if (!facts) return;
  metrics.count('intake_pages_total', {}, result.pages);
  metrics.count('intake_parser_credits_total', {}, facts.credits);
  metrics.count('intake_parse_results_total', {
    heard_by: facts.heardByWebhook ? 'webhook' : 'poll',
  });
  metrics.observe('intake_parse_wait_seconds', {}, facts.waitSeconds);
}

async function measureEnd({ metrics, pool, ref }: Activity): Promise<void> {
  const ended = await endedAttempt(pool, (ref as AttemptRef).attemptId);
  if (!ended) return;
  const { status, processingSeconds } = ended;
  metrics.count('intake_attempts_ended_total', { status });
  if (processingSeconds === undefined) return;
  metrics.observe('intake_processing_duration_seconds', { status }, processingSeconds);
}

const races: Partial<Record<ErrorCode, RaceKind>> = {
  ATTEMPT_SUPERSEDED: 'superseded',
  ATTEMPT_ABSENT: 'row_absent',
};

async function measureFailure(activity: Activity, error: unknown): Promise<void> {
  const { metrics, info, pool, ref } = activity;
  if (error instanceof CancelledFailure) {
    countTry(activity, 'cancelled');
    return;
  }
  const stage = stepOf(info.activityType);
  const code = codeOf(error);
  const awaits = stage === 'verify' && code === 'STORAGE_OBJECT_ABSENT';
  countTry(activity, awaits ? 'awaiting' : 'failure');
  metrics.count('intake_stage_failures_total', { stage, code });
  const kind = races[code];
  if (kind) metrics.count('intake_races_total', { kind });
  // The looks that follow belong to the same race.
  if (awaits && info.attempt === 1 && (await isConfirmed(pool, (ref as AttemptRef).attemptId))) {
    metrics.count('intake_races_total', { kind: 'upload_late' });
  }
}

function codeOf(error: unknown): ErrorCode {
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  return typeof type === 'string' && isErrorCode(type) ? type : 'INTERNAL_ERROR';
}
