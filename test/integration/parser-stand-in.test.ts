/** What the parser stand-in promises beyond the port: webhooks as the vendor sends them, and a memory that survives a restart. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import type { SubmittedJob } from '../../src/parsing/parser.ts';
import {
  requestFor,
  SIGNING_SECRET,
  startTestParser,
  type TestParser,
  untilEnded,
} from '../support/parser-stand-in.ts';
import {
  eventOf,
  isSigned,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const signal = AbortSignal.timeout(120_000);

let test: TestParser;
let receiver: WebhookReceiver;

beforeAll(async () => {
  test = await startTestParser();
});
beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(async () => {
  await test.faults.clear();
  await receiver.close();
});
afterAll(() => test.close());

async function submit(path?: string): Promise<SubmittedJob> {
  const note = join(test.dataFolder, 'note.md');
  await writeFile(note, `# Note ${randomUUID()}\n\nText.\n`);
  const callbackUrl = `${receiver.url}/webhooks/llamaparse/token`;
  const request = await requestFor(path ?? note, { callbackUrl });
  return test.parser.submit(request);
}

const webhookFault = (name: string, value?: number): FaultRule => ({
  operation: 'webhook.deliver',
  effect: { kind: 'named', name, ...(value === undefined ? {} : { value }) },
});
const types = () => receiver.received.map((webhook) => eventOf(webhook).event_type);
const received = (count: number) =>
  vi.waitFor(() => expect(receiver.received).toHaveLength(count), WAIT);

describe('webhooks', () => {
  it('tell of the end only, signed over their bytes, without the result', async () => {
    const { providerJobId } = await submit();
    await received(1);
    const [webhook] = receiver.received;
    if (webhook === undefined) throw new Error('no webhook');
    expect(webhook.path).toBe('/webhooks/llamaparse/token');
    expect(isSigned(webhook, SIGNING_SECRET)).toBe(true);
    const event = eventOf(webhook);
    expect(event).toMatchObject({ event_type: 'parse.success' });
    expect(`pjb-${event.data.job_id}`).toBe(providerJobId);
    expect(webhook.headers).toMatchObject({
      'x-webhook-event-id': event.event_id,
      'x-webhook-event-type': 'parse.success',
    });
    expect(webhook.rawBody.toString()).not.toContain('Text.');
  });

  it('come three times at most while they are refused', async () => {
    receiver.answerWith(503, 500, 503);
    await submit();
    await received(3);
    const ids = new Set(receiver.received.map((webhook) => eventOf(webhook).event_id));
    expect(ids.size).toBe(1);
    await submit();
    await received(4);
  });

  it.each([
    ['fail:PDF_IS_BROKEN', 'parse.error'],
    ['cancel', 'parse.cancelled'],
    ['fail-pages', 'parse.partial_success'],
  ])('a job told to %s sends %s', async (name, type) => {
    await test.faults.add({ operation: 'parse.run', effect: { kind: 'named', name } });
    await submit();
    await received(1);
    expect(types()).toEqual([type]);
  });

  it('may come before the create call is answered', async () => {
    await test.faults.add({
      operation: 'parse.create',
      effect: { kind: 'named', name: 'early-webhook' },
    });
    await submit();
    expect(types()).toEqual(['parse.success']);
  });

  it('may be doubled, old, or forged', async () => {
    await test.faults.add(webhookFault('double'));
    await submit();
    await received(2);
    await test.faults.add(webhookFault('age'));
    await submit();
    await received(3);
    await test.faults.add(webhookFault('forge'));
    await submit();
    await received(5);
    const [first, second, old, forged, genuine] = receiver.received;
    expect(second?.rawBody).toEqual(first?.rawBody);
    expect(old && Date.now() / 1000 - eventOf(old).timestamp).toBeGreaterThan(3_600);
    expect(forged && isSigned(forged, SIGNING_SECRET)).toBe(false);
    expect(genuine && isSigned(genuine, SIGNING_SECRET)).toBe(true);
  });

  it('may be preceded by one about another job, rightly signed', async () => {
    const other = await submit();
    await received(1);
    await test.faults.add(webhookFault('foreign'));
    const job = await submit();
    await received(3);
    const order = receiver.received.map((webhook) => `pjb-${eventOf(webhook).data.job_id}`);
    expect(order.slice(1)).toEqual([other.providerJobId, job.providerJobId]);
    expect(receiver.received.every((webhook) => isSigned(webhook, SIGNING_SECRET))).toBe(true);
  });

  it('may be lost, or overtaken by a later one', async () => {
    await test.faults.add(webhookFault('lose'));
    const lost = await submit();
    await untilEnded(test.parser, lost.providerJobId);
    await test.faults.add(webhookFault('hold', 1_500));
    const held = await submit();
    await untilEnded(test.parser, held.providerJobId);
    const later = await submit();
    await received(2);
    const order = receiver.received.map((webhook) => `pjb-${eventOf(webhook).data.job_id}`);
    expect(order).toEqual([later.providerJobId, held.providerJobId]);
  });
});

describe('after a restart', () => {
  async function restart(): Promise<void> {
    await test.restart();
    // Connections kept alive to the closed server have to be noticed first.
    await vi.waitFor(() => test.faults.ledger(), WAIT);
  }

  it('results are still there, and what was under way is taken up again', async () => {
    const done = await submit();
    await untilEnded(test.parser, done.providerJobId);
    await test.faults.add({ operation: 'parse.run', effect: { kind: 'hang' } });
    const hung = await submit();
    expect(await test.parser.state(hung.providerJobId, signal)).toEqual({ state: 'pending' });

    await restart();
    const { pages } = await test.parser.result(done.providerJobId, { maxBytes: 1e6, signal });
    expect(pages).toHaveLength(1);
    expect(await untilEnded(test.parser, hung.providerJobId)).toEqual({ state: 'completed' });
  });

  it('a document being read by a process is read again', async () => {
    const job = await submit('test/fixtures/documents/medical-report-scan.pdf');
    await restart();
    expect(await untilEnded(test.parser, job.providerJobId)).toEqual({ state: 'completed' });
  });
});

it('plays faults for one content, whatever the call is', async () => {
  const text = `# Note ${randomUUID()}\n`;
  const note = join(test.dataFolder, 'one.md');
  await writeFile(note, text);
  const subject = createHash('sha256').update(text).digest('hex');
  const operations = ['file.create', 'parse.create'];
  await test.faults.add(
    ...operations.map((operation) => ({
      operation,
      subject,
      effect: { kind: 'answer', status: 503 } as const,
    })),
  );
  const submitNote = async () => test.parser.submit(await requestFor(note));
  await submit();
  await expect(submitNote()).rejects.toMatchObject({ code: 'LLAMAPARSE_SERVER_ERROR' });
  await expect(submitNote()).rejects.toMatchObject({ code: 'LLAMAPARSE_SERVER_ERROR' });
  await submitNote();
});

it('takes a key for every route', async () => {
  for (const path of ['/api/v2/parse', '/api/v1/beta/files', '/api/v2/parse/versions']) {
    expect((await fetch(test.url + path)).status).toBe(401);
  }
});

it('keeps nothing of a job that was deleted', async () => {
  const job = await submit();
  await untilEnded(test.parser, job.providerJobId);
  const result = join(test.dataFolder, 'records', 'results', `${job.providerJobId}.json`);
  await readFile(result);
  await test.parser.forget(job, signal);
  await expect(readFile(result)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('limits of a reading process', () => {
  it('a deadline missed twice is a timeout', async () => {
    const hurried = await startTestParser({
      maxPages: 1,
      deadline: { baseMs: 1, perPageMs: 1, perOcrPageMs: 1 },
    });
    const path = 'test/fixtures/documents/annual-report-page.html';
    const { providerJobId } = await hurried.parser.submit(await requestFor(path));
    expect(await untilEnded(hurried.parser, providerJobId)).toMatchObject({ code: 'TIMEOUT' });
    await hurried.close();
  });

  it('a cancelled job lets go of its process', async () => {
    const job = await submit('test/fixtures/documents/federal-register-three-columns.pdf');
    await test.parser.forget(job, signal);
    const next = await submit('test/fixtures/documents/invoice-borderless-table.pdf');
    expect(await untilEnded(test.parser, next.providerJobId)).toEqual({ state: 'completed' });
    expect(types()).toContain('parse.cancelled');
  });
});
