/** Webhook deliveries: one row per event of the vendor, so that a doubled event is signalled once. */
import type { DocumentId, ParseJobId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface Delivery {
  readonly eventId: string;
  readonly parseJobId: ParseJobId;
  readonly eventType: string;
}

export interface Receipt {
  /** The document that the parse job works for. */
  readonly documentId: DocumentId;
  /** Of the attempt that the document is at. */
  readonly correlationId: string;
  /** Its signal has arrived: an earlier delivery of the same event brought it. */
  readonly delivered: boolean;
}

/** `undefined` when no parse job of ours is meant. */
export async function receiveDelivery(
  q: Queryable,
  delivery: Delivery,
): Promise<Receipt | undefined> {
  const { rows } = await q.query<{
    document_id: DocumentId;
    correlation_id: string;
    delivered: boolean;
  }>(
    `with job as (
       select j.id, j.document_id, a.correlation_id
       from intake.parse_jobs j
       join intake.documents d on d.id = j.document_id
       join intake.attempts a on a.id = d.current_attempt_id
       where j.id = $2
     ), receipt as (
       insert into intake.webhook_deliveries as d (event_id, parse_job_id, event_type)
       select $1, job.id, $3 from job
       on conflict (event_id) do update set times_received = d.times_received + 1
       returning d.delivered_at is not null as delivered
     )
     select job.document_id, job.correlation_id, receipt.delivered from job, receipt`,
    [delivery.eventId, delivery.parseJobId, delivery.eventType],
  );
  const row = rows[0];
  return (
    row && {
      documentId: row.document_id,
      correlationId: row.correlation_id,
      delivered: row.delivered,
    }
  );
}

export async function markDelivered(q: Queryable, eventId: string): Promise<void> {
  await q.query('update intake.webhook_deliveries set delivered_at = now() where event_id = $1', [
    eventId,
  ]);
}
