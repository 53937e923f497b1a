/** What operators read of anybody's documents: where they stand, never what they are called. */
import type { ErrorCode } from '../domain/errors.ts';
import type { DocumentId, OwnerId } from '../domain/ids.ts';
import type { Stage, Status } from '../domain/ingestion.ts';
import { hasBegun } from './attempts.ts';
import type { Queryable } from './pool.ts';

/** Of a document that is not deleted. */
export async function ownerOf(q: Queryable, documentId: DocumentId): Promise<OwnerId | undefined> {
  const { rows } = await q.query<{ owner_id: OwnerId }>(
    'select owner_id from intake.documents where id = $1 and deleted_at is null',
    [documentId],
  );
  return rows[0]?.owner_id;
}

export interface OperatedRecord {
  readonly documentId: DocumentId;
  readonly ownerId: OwnerId;
  readonly status: Status;
  readonly failedStage: Stage | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly waitingCode: ErrorCode | undefined;
  readonly verified: boolean;
  readonly runId: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface OperatedRow {
  id: DocumentId;
  owner_id: OwnerId;
  status: Status;
  failed_stage: Stage | null;
  error_code: ErrorCode | null;
  waiting_code: ErrorCode | null;
  verified: boolean;
  run_id: string | null;
  created_at: Date;
  updated_at: Date;
}

const selection = `
  select d.id, d.owner_id, a.status, a.failed_stage, a.error_code, a.waiting_code, v.original_key is not null as verified,
         a.run_id, d.created_at, greatest(d.updated_at, a.updated_at) as updated_at
  from intake.documents d
  join intake.attempts a on a.id = d.current_attempt_id
  join intake.versions v on v.id = a.version_id
  where d.deleted_at is null`;

function toOperated(row: OperatedRow): OperatedRecord {
  return {
    documentId: row.id,
    ownerId: row.owner_id,
    status: row.status,
    failedStage: row.failed_stage ?? undefined,
    errorCode: row.error_code ?? undefined,
    waitingCode: row.waiting_code ?? undefined,
    verified: row.verified,
    runId: row.run_id ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** By id, so that a page misses nothing that moves on meanwhile. */
export async function documentsOnTheRoad(
  q: Queryable,
  { limit, after }: { readonly limit: number; readonly after: DocumentId | undefined },
): Promise<readonly OperatedRecord[]> {
  const { rows } = await q.query<OperatedRow>(
    `${selection} and a.ended_at is null and ($1::uuid is null or d.id > $1) order by d.id limit $2`,
    [after ?? null, limit],
  );
  return rows.map(toOperated);
}

/** Those whose present run is one of these. */
export async function documentsOfRuns(
  q: Queryable,
  runIds: readonly string[],
): Promise<readonly OperatedRecord[]> {
  const { rows } = await q.query<OperatedRow>(
    `${selection} and a.run_id = any($1) order by d.created_at, d.id`,
    [runIds],
  );
  return rows.map(toOperated);
}

export interface StandingRecord {
  readonly attempt: number;
  /** When the present status was reached. */
  readonly since: Date;
  readonly verified: boolean;
  /** A worker has had the run in its hands. */
  readonly hasBegun: boolean;
  readonly withParser: boolean;
  readonly lastError: { readonly code: ErrorCode; readonly at: Date } | undefined;
}

export async function standingOf(
  q: Queryable,
  documentId: DocumentId,
): Promise<StandingRecord | undefined> {
  const { rows } = await q.query<{
    number: number;
    since: Date;
    verified: boolean;
    has_begun: boolean;
    with_parser: boolean;
    code: ErrorCode | null;
    at: Date | null;
  }>(
    `select a.number, coalesce(moved.at, a.created_at) as since, v.original_key is not null as verified,
            ${hasBegun} as has_begun, fault.code, fault.at,
            exists (select from intake.attempt_parse_jobs l join intake.parse_jobs j on j.id = l.parse_job_id
                    where l.attempt_id = a.id and j.state = 'submitted') as with_parser
     from intake.documents d
     join intake.attempts a on a.id = d.current_attempt_id
     join intake.versions v on v.id = a.version_id
     left join lateral (select max(e.at) as at from intake.events e
                        where e.document_id = d.id and e.attempt_id = a.id and e.kind = 'status') moved on true
     left join lateral (select e.code, e.at from intake.events e
                        where e.document_id = d.id and e.code is not null order by e.id desc limit 1) fault on true
     where d.id = $1 and d.deleted_at is null`,
    [documentId],
  );
  const row = rows[0];
  return (
    row && {
      attempt: row.number,
      since: row.since,
      verified: row.verified,
      hasBegun: row.has_begun,
      withParser: row.with_parser,
      lastError: row.code && row.at ? { code: row.code, at: row.at } : undefined,
    }
  );
}

/** How many documents stand where this one stands, and came there before it. */
export async function placeInLine(
  q: Queryable,
  { status, since }: { readonly status: Status; readonly since: Date },
): Promise<{ readonly ahead: number; readonly total: number }> {
  const { rows } = await q.query<{ ahead: string; total: string }>(
    `select count(*) filter (where moved.at < $2) as ahead, count(*) as total
     from intake.attempts a
     cross join lateral (select max(e.at) as at from intake.events e
                         where e.document_id = a.document_id and e.attempt_id = a.id and e.kind = 'status') moved
     where a.ended_at is null and a.status = $1`,
    [status, since],
  );
  return { ahead: Number(rows[0]?.ahead ?? 0), total: Number(rows[0]?.total ?? 0) };
}
