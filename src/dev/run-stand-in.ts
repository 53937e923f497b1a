/**
 * How stand-ins are started: on loopback only, in this process by `start<X>StandIn(options)`, or as a
 * child by `src/dev/<x>-stand-in/main.ts`, which calls `runStandIn` and nothing else.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface StandIn {
  readonly url: string;
  close(): Promise<void>;
}

/** Build the app with `forceCloseConnections: true`, or a scripted hang keeps `close` waiting. Port 0 takes a free one. */
export async function listenOnLoopback(app: FastifyInstance, port = 0): Promise<StandIn> {
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}`, close: () => app.close() };
}

/** Child entry: options as JSON in STAND_IN_OPTIONS, one JSON line when ready, closes on SIGTERM. `start` validates. */
export async function runStandIn(start: (options: unknown) => Promise<StandIn>): Promise<void> {
  const options: unknown = JSON.parse(process.env['STAND_IN_OPTIONS'] ?? '{}');
  const standIn = await start(options);
  process.once('SIGTERM', () => void standIn.close());
  process.stdout.write(`${JSON.stringify({ ready: true, url: standIn.url })}\n`);
}
