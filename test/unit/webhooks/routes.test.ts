import { createHmac, randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import type { Delivery, Receipt } from '../../../src/db/webhook-deliveries.ts';
import { IntakeError } from '../../../src/domain/errors.ts';
import type { ParseJobId } from '../../../src/domain/ids.ts';
import type { ParseEvent } from '../../../src/domain/run.ts';
import { type Keys, makeCallbackToken } from '../../../src/webhooks/callback-token.ts';
import type { CallOutcome } from '../../../src/webhooks/routes.ts';
import { apiUnderTest, idOf, newDocumentId } from '../../support/api-under-test.ts';

const tokenKeys: Keys = ['new-token-key', 'old-token-key'];
const signingSecrets: Keys = ['new-secret', 'old-secret'];
const parseJobId = idOf<ParseJobId>('018f4f3c-6b1e-7c3a-9d52-3f0a4b5c6d7e');
const documentId = newDocumentId();

/** The receiver over a table in memory and a workflow that a test scripts. */
async function receiver(workflow: () => 'delivered' | 'closed' = () => 'delivered') {
  const rows = new Map<string, { delivered: boolean }>();
  const signals: ParseEvent[] = [];
  const outcomes: CallOutcome[] = [];
  let reads = 0;
  const { anonymously, logs } = await apiUnderTest({
    dependencies: {
      webhooks: {
        tokenKeys,
        signingSecrets,
        deliveries: {
          receive: async (delivery: Delivery): Promise<Receipt | undefined> => {
            reads += 1;
            if (delivery.parseJobId !== parseJobId) return undefined;
            const { delivered } = rows.get(delivery.eventId) ?? { delivered: false };
            rows.set(delivery.eventId, { delivered });
            return { documentId, correlationId: randomUUID(), delivered };
          },
          markDelivered: async (eventId) => {
            rows.set(eventId, { delivered: true });
          },
        },
        signalParseEvent: async (id, event) => {
          expect(id).toBe(documentId);
          const outcome = workflow();
          signals.push(event);
          return outcome;
        },
        countEvent: (outcome) => outcomes.push(outcome),
      },
    },
  });
  return { post: anonymously, rows, signals, outcomes, logs, reads: () => reads };
}

const event = (changes: object = {}) => ({
  event_id: 'event-1',
  event_type: 'parse.success',
  timestamp: Date.now() / 1000,
  data: { id: 'x', job_id: 'pjb-1' },
  ...changes,
});

interface Sent {
  readonly body?: unknown;
  readonly token?: string;
  readonly secret?: string;
  readonly headers?: Record<string, string>;
  readonly unsigned?: boolean;
}

/** A request as the vendor makes it. */
function sent(request: Sent = {}): InjectOptions {
  const { body = event(), token, secret, headers, unsigned = false } = request;
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const signature = createHmac('sha256', secret ?? 'new-secret')
    .update(payload)
    .digest('hex');
  return {
    method: 'POST',
    url: `/webhooks/llamaparse/${token ?? makeCallbackToken(parseJobId, tokenKeys)}`,
    headers: {
      'content-type': 'application/json',
      ...(unsigned ? {} : { 'lc-signature': `sha256=${signature}` }),
      ...headers,
    },
    payload,
  };
}

test('a true event is remembered, signalled and acknowledged', async () => {
  const { post, rows, signals, outcomes } = await receiver();
  expect((await post(sent())).statusCode).toBe(202);
  expect(signals).toEqual([{ parseJobId }]);
  expect(rows.get('event-1')).toEqual({ delivered: true });
  expect(outcomes).toEqual(['delivered']);
});

test('a burst of documents may be a burst of events from one address', async () => {
  const { post } = await receiver();
  const answer = await post(sent());
  expect(answer.statusCode).toBe(202);
  expect(answer.headers).not.toHaveProperty('x-ratelimit-limit');
});

test('the string form is the same event', async () => {
  const { post, signals } = await receiver();
  const body = JSON.stringify(JSON.stringify(event()));
  expect((await post(sent({ body }))).statusCode).toBe(202);
  expect((await post(sent({ body, headers: { 'content-type': 'text/plain' } }))).statusCode).toBe(
    202,
  );
  expect(signals).toHaveLength(1);
});

test('old keys and secrets are believed while they are changed', async () => {
  const { post, signals } = await receiver();
  const token = makeCallbackToken(parseJobId, ['old-token-key']);
  expect((await post(sent({ token, secret: 'old-secret' }))).statusCode).toBe(202);
  expect(signals).toHaveLength(1);
});

test('a doubled event is signalled once', async () => {
  const { post, signals, outcomes } = await receiver();
  await post(sent());
  expect((await post(sent())).statusCode).toBe(202);
  expect(signals).toHaveLength(1);
  expect(outcomes).toEqual(['delivered', 'duplicate']);
});

test('an event whose signal did not go through is signalled when it comes again', async () => {
  let up = false;
  const { post, rows, signals } = await receiver(() => {
    if (!up) throw new IntakeError('SERVICE_UNAVAILABLE');
    return 'delivered';
  });
  expect((await post(sent())).statusCode).toBe(503);
  expect(rows.get('event-1')).toEqual({ delivered: false });
  up = true;
  expect((await post(sent())).statusCode).toBe(202);
  expect(signals).toHaveLength(1);
  expect(rows.get('event-1')).toEqual({ delivered: true });
});

test('a workflow that has ended wants no second try', async () => {
  const { post, rows, outcomes } = await receiver(() => 'closed');
  expect((await post(sent())).statusCode).toBe(202);
  expect(rows.get('event-1')).toEqual({ delivered: true });
  expect(outcomes).toEqual(['closed']);
});

test('a type that ends no job is acknowledged, counted and forgotten', async () => {
  const { post, rows, signals, outcomes } = await receiver();
  const body = event({ event_type: 'parse.running' });
  expect((await post(sent({ body }))).statusCode).toBe(202);
  expect(outcomes).toEqual(['ignored']);
  expect(rows.size + signals.length).toBe(0);
});

describe('404 without detail', () => {
  const other = idOf<ParseJobId>('a18f4f3c-6b1e-7c3a-9d52-3f0a4b5c6d7e');
  const forged = makeCallbackToken(parseJobId, ['foreign-key']);

  test.each([
    ['a forged token', forged],
    ['no token', ''],
    ['nonsense', 'x'],
    [
      'the token of another job under this id',
      `${parseJobId}.${makeCallbackToken(other, tokenKeys).split('.')[1]}`,
    ],
  ])('for %s, which costs no look into the database', async (_what, token) => {
    const { post, reads, outcomes } = await receiver();
    const answer = await post(sent({ token }));
    expect(answer.statusCode).toBe(404);
    expect(answer.json().code).toBe('NOT_FOUND');
    expect(reads()).toBe(0);
    expect(outcomes).toEqual(['bad_token']);
  });

  test('for a forged token with a body that is too large: the token is proven first', async () => {
    const { post } = await receiver();
    const body = JSON.stringify('x'.repeat(300_000));
    expect((await post(sent({ token: forged, body }))).statusCode).toBe(404);
  });

  test('for a true token of a job that is gone', async () => {
    const { post, signals, outcomes } = await receiver();
    const token = makeCallbackToken(other, tokenKeys);
    expect((await post(sent({ token }))).statusCode).toBe(404);
    expect(signals).toEqual([]);
    expect(outcomes).toEqual(['unknown_job']);
  });
});

describe('401 without detail', () => {
  const good = createHmac('sha256', 'new-secret').update(JSON.stringify(event())).digest('hex');
  test.each([
    ['a foreign secret', { secret: 'foreign' }],
    ['no signature', { unsigned: true }],
    ['an empty signature', { headers: { 'lc-signature': '' } }],
    ['a signature that is too short', { headers: { 'lc-signature': 'sha256=ab' } }],
    ['a signature that is too long', { headers: { 'lc-signature': `sha256=${good}${good}` } }],
    ['a signature of another body', { headers: { 'lc-signature': `sha256=${'0'.repeat(64)}` } }],
    ['no body', { body: '', headers: { 'lc-signature': `sha256=${good}` } }],
  ])('for %s', async (_what, request) => {
    const { post, reads, outcomes } = await receiver();
    const answer = await post(sent(request));
    expect(answer.statusCode).toBe(401);
    expect(answer.json().errors).toBeUndefined();
    expect(reads()).toBe(0);
    expect(outcomes).toEqual(['bad_signature']);
  });
});

describe('nonsense under a true signature', () => {
  test.each([
    ['no JSON', 400, { body: '{"event_id"' }],
    ['no event', 400, { body: { hello: 'world' } }],
    ['an event of yesterday', 400, { body: event({ timestamp: Date.now() / 1000 - 86_400 }) }],
    ['a form', 415, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['too much', 413, { body: event({ padding: 'x'.repeat(262_144) }) }],
  ])('%s is answered %d', async (_what, status, request: Sent) => {
    const { post, reads } = await receiver();
    expect((await post(sent(request))).statusCode).toBe(status);
    expect(reads()).toBe(0);
  });

  test('as much as the limit is read', async () => {
    const { post } = await receiver();
    const body = event({ padding: 'x'.repeat(200_000) });
    expect((await post(sent({ body }))).statusCode).toBe(202);
  });
});

test('neither token nor signature nor secret is ever logged', async () => {
  const { post, logs } = await receiver(() => {
    throw new IntakeError('SERVICE_UNAVAILABLE');
  });
  await post(sent());
  await post(sent({ secret: 'foreign' }));
  await post(sent({ token: 'forged-token' }));
  const all = logs.join('');
  expect(logs.length).toBeGreaterThan(2);
  for (const secret of [
    makeCallbackToken(parseJobId, tokenKeys).slice(37),
    'forged-token',
    'sha256=',
    ...tokenKeys,
    ...signingSecrets,
  ]) {
    expect(all).not.toContain(secret);
  }
});
