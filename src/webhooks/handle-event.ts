/** Remember the event, signal the workflow, then say that it was signalled: in this order, so that no kill loses one. */
import type { Delivery, Receipt } from '../db/webhook-deliveries.ts';
import type { DocumentId, ParseJobId } from '../domain/ids.ts';
import type { ParseEvent } from '../domain/run.ts';
import { correlate } from '../observability/correlation.ts';
import type { ParserEvent } from './events.ts';

export interface EventPorts {
  readonly deliveries: {
    /** Writes the event down once under its id. */
    receive(delivery: Delivery): Promise<Receipt | undefined>;
    markDelivered(eventId: string): Promise<void>;
  };
  /** `closed`: the workflow has ended, and nobody waits for the event. Throws `SERVICE_UNAVAILABLE` when Temporal does not take it. */
  readonly signalParseEvent: (
    documentId: DocumentId,
    event: ParseEvent,
  ) => Promise<'delivered' | 'closed'>;
}

export type EventOutcome = 'delivered' | 'closed' | 'duplicate' | 'ignored' | 'unknown_job';

export async function handleEvent(
  parseJobId: ParseJobId,
  { eventId, ending: eventType }: ParserEvent,
  { deliveries, signalParseEvent }: EventPorts,
): Promise<EventOutcome> {
  if (eventType === undefined) return 'ignored';
  const receipt = await deliveries.receive({ eventId, parseJobId, eventType });
  if (receipt === undefined) return 'unknown_job';
  correlate(receipt.correlationId);
  if (receipt.delivered) return 'duplicate';
  const outcome = await signalParseEvent(receipt.documentId, { parseJobId });
  await deliveries.markDelivered(eventId);
  return outcome;
}
