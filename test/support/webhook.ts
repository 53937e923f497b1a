/** The parser's webhook, made by hand: what a test sends instead of the stand-in, true or forged. */
import { createHmac, randomUUID } from 'node:crypto';
import { type Answer, exchange } from './person.ts';

interface Secrets {
  readonly tokenKey: string;
  readonly signingSecret: string;
}

/** As the stack's configuration has them. */
export function webhookSecrets(environment: Readonly<Record<string, string>>): Secrets {
  const { WEBHOOK_TOKEN_KEY = '', WEBHOOK_SIGNING_SECRET = '' } = environment;
  return { tokenKey: WEBHOOK_TOKEN_KEY, signingSecret: WEBHOOK_SIGNING_SECRET };
}

export function sendWebhook(
  url: string,
  parseJobId: string,
  { tokenKey, signingSecret }: Secrets,
): Promise<Answer<unknown>> {
  const token = `${parseJobId}.${hmac(tokenKey, parseJobId).digest('base64url')}`;
  const body = JSON.stringify({
    event_id: randomUUID(),
    event_type: 'parse.success',
    timestamp: Date.now() / 1000,
    data: { job_id: randomUUID() },
  });
  const signature = `sha256=${hmac(signingSecret, body).digest('hex')}`;
  return exchange(`${url}/webhooks/llamaparse/${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'lc-signature': signature },
    body,
  });
}

function hmac(key: string, text: string) {
  return createHmac('sha256', key).update(text);
}
