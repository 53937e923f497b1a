/**
 * A webhook as the parser sends it, signed with our secret under a token of our key, arrives at PUBLIC_URL. It names a
 * job that nobody has and an event that nobody waits for: the API proves and drops it.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { ParseJobId } from '../../../domain/ids.ts';
import {
  keysOf,
  makeCallbackToken,
  callbackUrl as urlOf,
} from '../../../webhooks/callback-token.ts';
import { ask } from '../ask.ts';
import { type Ailment, type Check, Ill } from '../check.ts';

export const callbackWebhook: Check = {
  name: 'callback: webhook',
  needs: ['callback: URL'],
  mend: {
    unavailable:
      'Check PUBLIC_URL: nobody answers there. Is the API up, and what stands before it?',
    absent:
      'Either something else answers at PUBLIC_URL, or the API there has another WEBHOOK_TOKEN_KEY.',
    forbidden:
      'Give API and worker the same WEBHOOK_SIGNING_SECRET, and look for a proxy that rewrites bodies.',
    different: 'Set the clocks of this machine and of the API: they are more than an hour apart.',
    refused: 'Look at what stands before the API: it does not let the parser’s POST through.',
  },
  run: async ({ config }) => {
    if (config.PUBLIC_URL === undefined) return 'none: results are polled';
    const token = makeCallbackToken(randomUUID() as ParseJobId, keysOf(config.WEBHOOK_TOKEN_KEY));
    const body = JSON.stringify({
      event_id: `doctor-${randomUUID()}`,
      event_type: 'intake.doctor',
      timestamp: Date.now() / 1000,
      data: { job_id: 'none' },
    });
    const [secret] = keysOf(config.WEBHOOK_SIGNING_SECRET);
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const { status } = await ask(urlOf(config.PUBLIC_URL, token), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'lc-signature': signature },
      body,
    });
    if (status !== 202) throw new Ill(refusals[status] ?? other(status), `answered ${status}`);
    return 'taken';
  },
};

const refusals: Readonly<Record<number, Ailment>> = {
  404: 'absent',
  401: 'forbidden',
  400: 'different',
};

function other(status: number): Ailment {
  return status >= 500 ? 'unavailable' : 'refused';
}
