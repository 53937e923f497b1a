/** A webhook as the vendor writes it: what happened to which job, and nothing of the result. */
import { createHmac, randomUUID } from 'node:crypto';
import type { WebhookConfiguration } from './create-request.ts';
import type { JobRecord } from './records.ts';

export function wants(
  { webhook_events: events }: WebhookConfiguration,
  eventType: string,
): boolean {
  return (
    events === null || events === undefined || events.length === 0 || events.includes(eventType)
  );
}

export interface WebhookEvent {
  readonly event_id: string;
  readonly event_type: string;
  readonly timestamp: number;
  readonly data: { readonly id: string; readonly job_id: string };
}

/** `ageSeconds` for events from another time. */
export function makeEvent(job: JobRecord, eventType: string, ageSeconds = 0): WebhookEvent {
  // The vendor's samples show bare ids here, without the prefix that its other answers have.
  const id = job.id.replace(/^pjb-/, '');
  return {
    event_id: randomUUID(),
    event_type: eventType,
    timestamp: Date.now() / 1000 - ageSeconds,
    data: { id, job_id: id },
  };
}

export interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signed over the raw body, with no time in the signature. */
export function makeRequest(event: WebhookEvent, to: WebhookConfiguration): SignedRequest {
  const json = JSON.stringify(event);
  const body = to.webhook_output_format === 'json' ? json : JSON.stringify(json);
  const secret = to.webhook_signing_secret;
  return {
    body,
    headers: {
      ...to.webhook_headers,
      'content-type': 'application/json',
      'user-agent': 'llamaindex-webhook-service/1.0',
      'x-webhook-event-id': event.event_id,
      'x-webhook-event-type': event.event_type,
      ...(secret
        ? { 'lc-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }
        : {}),
    },
  };
}
