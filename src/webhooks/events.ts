/** The vendor's event, read from a body that was already proven to be theirs. It tells us to look, never what is so. */
import { z } from 'zod';

/** The ends we subscribe to. Any other type is acknowledged and counted. */
const endings = [
  'parse.success',
  'parse.error',
  'parse.partial_success',
  'parse.cancelled',
] as const;
type ParseEnding = (typeof endings)[number];

export interface ParserEvent {
  readonly eventId: string;
  /** `undefined` for a type that ends no job, or that we do not know. */
  readonly ending: ParseEnding | undefined;
}

/** The signature carries no time, so an old body could be sent again: older than this, it is refused. */
const TOLERANCE_MS = 3_600_000;

/** Ids go into the database and into logs. */
const printable = z.string().regex(/^[\x21-\x7e]{1,200}$/);

const eventSchema = z.object({
  event_id: printable,
  event_type: printable,
  timestamp: z.number(),
  data: z.object({ job_id: printable }),
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** `undefined` for what is no event, or one from another time. */
export function readEvent(rawBody: Uint8Array, now: Date): ParserEvent | undefined {
  const event = eventSchema.safeParse(readJson(rawBody)).data;
  if (event === undefined) return undefined;
  if (Math.abs(now.getTime() - event.timestamp * 1000) > TOLERANCE_MS) return undefined;
  return {
    eventId: event.event_id,
    ending: endings.find((ending) => ending === event.event_type),
  };
}

/** The vendor's output format `string` wraps the object once more. */
function readJson(rawBody: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(utf8.decode(rawBody));
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return undefined;
  }
}
