/** What rows say about time, for metrics: reads only, each by a key or over the unfinished alone. */
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptId, ParseJobId } from '../domain/ids.ts';
import type { RunningStatus, TerminalStatus } from '../domain/ingestion.ts';
import type { Queryable } from './pool.ts';

export interface UnfinishedDocuments {
  readonly status: RunningStatus;
  /** `undefined` while they are worked on. */
  readonly waitingFor: ErrorCode | undefined;
  readonly count: number;
  /** Of the one that has been in this status for longest. */
  readonly ageSeconds: number;
}

export async function unfinishedDocuments(q: Queryable): Promise<readonly UnfinishedDocuments[]> {
  const { rows } = await q.query<{
    status: RunningStatus;
    waiting_code: ErrorCode | null;
    count: number;
    age: number;
  }>(
    `select status, waiting_code, count(*)::int as count,
            greatest(extract(epoch from now() - min(status_since)), 0)::float8 as age
     from intake.attempts where ended_at is null group by status, waiting_code`,
  );
  return rows.map(({ status, waiting_code, count, age }) => ({
    status,
    waitingFor: waiting_code ?? undefined,
    count,
    ageSeconds: age,
  }));
}

export interface EndedAttempt {
  readonly status: TerminalStatus;
  /** From the bytes being there, or said to be; `undefined` when they never came. */
  readonly processingSeconds: number | undefined;
}

/** `undefined` when it has not ended, or has no row any more. */
export async function endedAttempt(
  q: Queryable,
  attemptId: AttemptId,
): Promise<EndedAttempt | undefined> {
  const { rows } = await q.query<{ status: TerminalStatus; seconds: number | null }>(
    `select a.status, extract(epoch from a.ended_at - case a.start_stage
              when 'verify' then coalesce(a.confirmed_at, (
                select min(e.at) from intake.events e
                where e.document_id = a.document_id and e.attempt_id = a.id and e.status = 'uploaded'))
              else a.created_at end)::float8 as seconds
     from intake.attempts a where a.id = $1 and a.ended_at is not null`,
    [attemptId],
  );
  const row = rows[0];
  return row && { status: row.status, processingSeconds: row.seconds ?? undefined };
}

export interface ParseFacts {
  readonly waitSeconds: number;
  /** A webhook of this job had brought the word before the result was stored. */
  readonly heardByWebhook: boolean;
  readonly credits: number;
}

/** `undefined` for a job that has brought no result. */
export async function parseFacts(
  q: Queryable,
  parseJobId: ParseJobId,
): Promise<ParseFacts | undefined> {
  const { rows } = await q.query<{ wait: number; heard: boolean; credits: number }>(
    `select extract(epoch from j.ended_at - j.submitted_at)::float8 as wait, coalesce(j.credits, 0)::float8 as credits,
            exists (select from intake.webhook_deliveries d
                    where d.parse_job_id = j.id and d.delivered_at is not null and d.received_at <= j.ended_at) as heard
     from intake.parse_jobs j where j.id = $1 and j.state = 'completed'`,
    [parseJobId],
  );
  const row = rows[0];
  return row && { waitSeconds: row.wait, heardByWebhook: row.heard, credits: row.credits };
}

/** Whether somebody has said that the bytes of this attempt are there. */
export async function isConfirmed(q: Queryable, attemptId: AttemptId): Promise<boolean> {
  const { rowCount } = await q.query(
    'select from intake.attempts where id = $1 and confirmed_at is not null',
    [attemptId],
  );
  return rowCount === 1;
}
