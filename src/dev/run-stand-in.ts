/**
 * How stand-ins are started: on loopback unless told, in this process by `start<X>StandIn(options)`, or as a
 * child by `src/dev/<x>-stand-in/main.ts`, which calls `runStandIn` and nothing else.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

export interface StandIn {
  readonly url: string;
  close(): Promise<void>;
}

/** Where a stand-in listens. Another host than loopback is for a network that nobody else is in, such as that of containers. */
export const listening = {
  host: z.string().default('127.0.0.1'),
  /** 0 takes a free one. */
  port: z.number().int().min(0).max(65_535).default(0),
};

/** Build the app with `forceCloseConnections: true`, or a scripted hang keeps `close` waiting. */
export async function listen(
  app: FastifyInstance,
  where: { readonly host: string; readonly port: number },
): Promise<StandIn> {
  await app.listen({ host: where.host, port: where.port });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}

/** Child entry: options as JSON in STAND_IN_OPTIONS, one JSON line when ready, closes on SIGTERM. `start` validates. */
export async function runStandIn(start: (options: unknown) => Promise<StandIn>): Promise<void> {
  const options: unknown = JSON.parse(process.env['STAND_IN_OPTIONS'] ?? '{}');
  const standIn = await start(options);
  process.once('SIGTERM', () => void standIn.close());
  process.stdout.write(`${JSON.stringify({ ready: true, url: standIn.url })}\n`);
}
