/**
 * Webhooks as the vendor sends them: a JSON body without result, signed over its raw bytes, three attempts 1 s and
 * 2 s apart. Unlike the vendor it delivers to loopback.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { WebhookConfiguration } from './create-request.ts';
import { type JobRecord, subjectOf } from './records.ts';

/** Effects that a fault script can name for `webhook.deliver`; `value` of `hold` is milliseconds. */
export const webhookFaults = ['lose', 'double', 'forge', 'age', 'hold'];

export interface WebhookSender {
  /** Resolves when it was taken or given up. */
  send(job: JobRecord, eventType: string): Promise<void>;
  close(): Promise<void>;
}

const PAUSES_MS = [0, 1_000, 2_000];
const ATTEMPT_TIMEOUT_MS = 30_000;
const OLD_SECONDS = 2 * 60 * 60;
const HOLD_MS = 1_000;

export function createWebhookSender(app: FastifyInstance): WebhookSender {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function deliver(job: JobRecord, eventType: string): Promise<void> {
    // Only the first is used: so says a copy of the vendor's documentation.
    const configuration = job.request.webhook_configurations?.[0];
    if (configuration === undefined || !wants(configuration, eventType)) return;
    const faults = await playDelays(job);
    if (faults.has('lose')) return;
    const event = makeEvent(job, eventType, faults.has('age') ? OLD_SECONDS : 0);
    const request = makeRequest(event, configuration);
    if (faults.has('forge')) await attempt(configuration, forge(request), 'webhook.forged');
    await attempts(job, configuration, request);
    if (faults.has('double')) await attempts(job, configuration, request);
  }

  /** Waits as told, `hold` letting later events overtake this one; answers the names of the other effects. */
  async function playDelays(job: JobRecord): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const effect of app.takeFaults('webhook.deliver', subjectOf(job))) {
      if (effect.kind === 'delay') await sleep(effect.ms, undefined, { signal: closing.signal });
      if (effect.kind !== 'named') continue;
      if (effect.name === 'hold') await sleep(effect.value ?? HOLD_MS, undefined, { signal: closing.signal });
      names.add(effect.name);
    }
    return names;
  }

  async function attempts(job: JobRecord, to: WebhookConfiguration, request: SignedRequest): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      await sleep(pauseMs, undefined, { signal: closing.signal });
      if (await attempt(to, request, subjectOf(job))) return;
    }
  }

  async function attempt({ webhook_url }: WebhookConfiguration, request: SignedRequest, subject: string): Promise<boolean> {
    const at = new Date().toISOString();
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
    const status = await fetch(webhook_url, { method: 'POST', ...request, redirect: 'error', signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => null,
    );
    app.recordCall({ operation: 'webhook.deliver', subject, at, status });
    return status !== null && status >= 200 && status < 300;
  }

  return {
    async send(job, eventType) {
      const delivery = deliver(job, eventType).catch((error: unknown) => {
        if (!closing.signal.aborted) throw error;
      });
      underWay.add(delivery);
      await delivery.finally(() => underWay.delete(delivery));
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
    },
  };
}

function wants({ webhook_events: events }: WebhookConfiguration, eventType: string): boolean {
  return events === null || events === undefined || events.length === 0 || events.includes(eventType);
}

interface WebhookEvent {
  readonly event_id: string;
  readonly event_type: string;
  readonly timestamp: number;
  readonly data: { readonly id: string; readonly job_id: string };
}

function makeEvent(job: JobRecord, eventType: string, ageSeconds: number): WebhookEvent {
  // The vendor's samples show bare ids here, without the prefix that its other answers have.
  const id = job.id.replace(/^pjb-/, '');
  return {
    event_id: randomUUID(),
    event_type: eventType,
    timestamp: Date.now() / 1000 - ageSeconds,
    data: { id, job_id: id },
  };
}

interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function makeRequest(event: WebhookEvent, to: WebhookConfiguration): SignedRequest {
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

/** The same event under somebody else's key. */
function forge(request: SignedRequest): SignedRequest {
  const signature = createHmac('sha256', randomUUID()).update(request.body).digest('hex');
  return { ...request, headers: { ...request.headers, 'lc-signature': `sha256=${signature}` } };
}
