/** The parser's webhook, made by hand: what a test sends instead of the stand-in, true or forged. */
import { createHmac, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import { type Answer, exchange } from './person.ts';
import type { Stack } from './stack.ts';
import { until } from './until.ts';

interface Secrets {
  readonly tokenKey: string;
  readonly signingSecret: string;
}

/** As the stack's configuration has them. */
export function webhookSecrets(environment: Readonly<Record<string, string>>): Secrets {
  const { WEBHOOK_TOKEN_KEY = '', WEBHOOK_SIGNING_SECRET = '' } = environment;
  return { tokenKey: WEBHOOK_TOKEN_KEY, signingSecret: WEBHOOK_SIGNING_SECRET };
}

/** The next webhook of the stand-in never comes. */
export const loseWebhook: FaultRule = {
  operation: 'webhook.deliver',
  effect: { kind: 'named', name: 'lose' },
};

/** Our id of the document's parse job, once the parser is done with it. */
export function untilParsed(stack: Stack, pool: Pool, documentId: string): Promise<string> {
  const { LLAMA_CLOUD_BASE_URL, LLAMA_CLOUD_API_KEY } = stack.environment;
  const headers = { authorization: `Bearer ${LLAMA_CLOUD_API_KEY}` };
  return until('the parser is done', async () => {
    const { rows } = await pool.query<{ id: string; provider_job_id: string | null }>(
      'select id, provider_job_id from intake.parse_jobs where document_id = $1',
      [documentId],
    );
    const [job] = rows;
    if (!job?.provider_job_id) return undefined;
    const { body } = await exchange<{ job: { status: string } }>(
      `${LLAMA_CLOUD_BASE_URL}/api/v2/parse/${job.provider_job_id}`,
      { headers },
    );
    return body.job.status === 'COMPLETED' ? job.id : undefined;
  });
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
