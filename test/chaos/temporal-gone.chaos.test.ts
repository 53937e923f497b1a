/** Temporal gone for twenty seconds in the middle: requests are refused kindly, work waits and goes on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drillOutage } from '../support/outage-drill.ts';
import { type OwnTemporal, startOnOwnTemporal } from '../support/own-temporal.ts';

const PATIENCE_MS = 240_000;

/** Not the one of the other tests: this one is stopped. */
let temporal: OwnTemporal;
beforeAll(async () => {
  temporal = await startOnOwnTemporal();
}, PATIENCE_MS);
afterAll(() => temporal.close());

test('work waits and goes on', { timeout: PATIENCE_MS }, async () => {
  const { stack } = temporal;
  const { refused, ends } = await drillOutage(stack, temporal);
  expect(refused).toMatchObject({ status: 503, body: { code: 'SERVICE_UNAVAILABLE' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const complete = { status: 'complete', attempts: [{ number: 1 }] };
  expect(ends).toMatchObject({
    bytes: complete,
    parsing: complete,
    embedding: complete,
    unlucky: complete,
  });
  const { counts } = await stack.faults.parser.ledger();
  expect(counts['parse.create'], 'each is paid once').toBe(Object.keys(ends).length);
});
