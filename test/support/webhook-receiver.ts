/** A server that keeps what webhooks bring, byte for byte, and answers as told. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** Statuses of the next answers; 202 when none is left. */
  answerWith(...statuses: readonly number[]): void;
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const statuses: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      path: request.url ?? '',
      headers: request.headers,
      rawBody: Buffer.concat(chunks),
    });
    response.writeHead(statuses.shift() ?? 202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerWith: (...next) => {
      statuses.push(...next);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function isSigned({ rawBody, headers }: ReceivedWebhook, secret: string): boolean {
  const signature = createHmac('sha256', secret).update(rawBody).digest('hex');
  return headers['lc-signature'] === `sha256=${signature}`;
}

/** Both forms of the vendor's body: an object, or a string that holds it. */
export function eventOf({ rawBody }: ReceivedWebhook): {
  event_id: string;
  event_type: string;
  timestamp: number;
  data: { id: string; job_id: string };
} {
  const value = JSON.parse(rawBody.toString());
  return typeof value === 'string' ? JSON.parse(value) : value;
}
