/** Payloads as the codec server protocol writes them: protobuf's JSON, with every value in base64. */
import type { Payload } from '@temporalio/common';
import { z } from 'zod';

const MAX_PAYLOADS = 10_000;

const jsonPayload = z.object({
  metadata: z.record(z.string(), z.base64()).optional(),
  data: z.base64().optional(),
});
export const jsonPayloads = z.array(jsonPayload).max(MAX_PAYLOADS);

export type JsonPayload = z.output<typeof jsonPayload>;

export function payloadOf({ metadata = {}, data = '' }: JsonPayload): Payload {
  return { metadata: mapValues(metadata, fromBase64), data: fromBase64(data) };
}

export function toJson({ metadata, data }: Payload): JsonPayload {
  return { metadata: mapValues(metadata ?? {}, toBase64), data: toBase64(data ?? Buffer.alloc(0)) };
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
