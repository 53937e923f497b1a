/** Webhook deliveries: one row per event of the vendor, so that a doubled event is signalled once. */
import type { ParseJobId } from '../domain/ids.ts';
import type { Queryable } from './pool.ts';

export interface Delivery {
  readonly eventId: string;
  readonly parseJobId: ParseJobId;
  readonly eventType: string;
}

/** `undelivered`: seen before, but its signal never arrived. */
export type Receipt = 'new' | 'undelivered' | 'delivered' | 'unknown-job';

export async function receiveDelivery(q: Queryable, delivery: Delivery): Promise<Receipt> {
  const { rows } = await q.query<{ times_received: number; delivered: boolean }>(
    `insert into intake.webhook_deliveries as d (event_id, parse_job_id, event_type)
     select $1, j.id, $3 from intake.parse_jobs j where j.id = $2
     on conflict (event_id) do update set times_received = d.times_received + 1
     returning d.times_received, d.delivered_at is not null as delivered`,
    [delivery.eventId, delivery.parseJobId, delivery.eventType],
  );
  const row = rows[0];
  if (!row) return 'unknown-job';
  if (row.times_received === 1) return 'new';
  return row.delivered ? 'delivered' : 'undelivered';
}

export async function markDelivered(q: Queryable, eventId: string): Promise<void> {
  await q.query('update intake.webhook_deliveries set delivered_at = now() where event_id = $1', [
    eventId,
  ]);
}
