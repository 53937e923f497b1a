/**
 * Webhooks as the vendor sends them: a JSON body without result, signed over its raw bytes, three attempts 1 s and
 * 2 s apart. Unlike the vendor it delivers to loopback.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { WebhookConfiguration } from './create-request.ts';
import type { RecordStore } from './record-store.ts';
import { hasEnded, type JobRecord, subjectOf } from './records.ts';
import { makeEvent, makeRequest, type SignedRequest, wants } from './webhook-message.ts';

/**
 * Effects that a fault script can name for `webhook.deliver`; `value` of `hold` is milliseconds. `foreign` lets an
 * event about another job come first, rightly signed.
 */
export const webhookFaults = ['lose', 'double', 'forge', 'age', 'hold', 'foreign'];

export interface WebhookSender {
  /** Resolves when it was taken or given up. */
  send(job: JobRecord, eventType: string): Promise<void>;
  close(): Promise<void>;
}

const PAUSES_MS = [0, 1_000, 2_000];
const ATTEMPT_TIMEOUT_MS = 30_000;
const OLD_SECONDS = 2 * 60 * 60;
const HOLD_MS = 1_000;

export function createWebhookSender(app: FastifyInstance, store: RecordStore): WebhookSender {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function deliver(job: JobRecord, eventType: string): Promise<void> {
    // Only the first is used: so says a copy of the vendor's documentation.
    const configuration = job.request.webhook_configurations?.[0];
    if (configuration === undefined || !wants(configuration, eventType)) return;
    const faults = await playDelays(job);
    if (faults.has('lose')) return;
    if (faults.has('forge')) {
      const impostor = { ...configuration, webhook_signing_secret: randomUUID() };
      await attempt(
        configuration,
        makeRequest(makeEvent(job, eventType), impostor),
        subjectOf(job),
      );
    }
    if (faults.has('foreign')) {
      const other =
        [...store.jobs.values()].findLast((known) => known.id !== job.id && hasEnded(known)) ?? job;
      await attempt(
        configuration,
        makeRequest(makeEvent(other, eventType), configuration),
        subjectOf(job),
      );
    }
    const event = makeEvent(job, eventType, faults.has('age') ? OLD_SECONDS : 0);
    const request = makeRequest(event, configuration);
    await attempts(job, configuration, request);
    if (faults.has('double')) await attempts(job, configuration, request);
  }

  /** Waits as told, `hold` letting later events overtake this one; answers the names of the other effects. */
  async function playDelays(job: JobRecord): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const effect of app.takeFaults('webhook.deliver', subjectOf(job))) {
      if (effect.kind === 'delay') await sleep(effect.ms, undefined, { signal: closing.signal });
      if (effect.kind !== 'named') continue;
      if (effect.name === 'hold')
        await sleep(effect.value ?? HOLD_MS, undefined, { signal: closing.signal });
      names.add(effect.name);
    }
    return names;
  }

  async function attempts(
    job: JobRecord,
    to: WebhookConfiguration,
    request: SignedRequest,
  ): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      await sleep(pauseMs, undefined, { signal: closing.signal });
      if (await attempt(to, request, subjectOf(job))) return;
    }
  }

  async function attempt(
    { webhook_url }: WebhookConfiguration,
    request: SignedRequest,
    subject: string,
  ): Promise<boolean> {
    const at = new Date().toISOString();
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
    const status = await fetch(webhook_url, {
      method: 'POST',
      ...request,
      redirect: 'error',
      signal,
    }).then(
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
