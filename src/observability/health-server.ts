/** Where a process without an HTTP API of its own tells its orchestrator how it is. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failingChecks, type HealthCheck } from './health.ts';
import type { Logger } from './logger.ts';

export interface HealthServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
  readonly liveness: readonly HealthCheck[];
  readonly readiness: readonly HealthCheck[];
  /** What else is worth knowing: states and counts. */
  readonly facts: () => Readonly<Record<string, string | number>>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers `GET /health/live` and `GET /health/ready` with 200 or 503, and nothing else. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { host, port, logger, facts } = options;
  const questions: Readonly<Record<string, readonly HealthCheck[]>> = {
    '/health/live': options.liveness,
    '/health/ready': options.readiness,
  };
  const server = createServer((request, response) => {
    const checks = questions[request.url ?? ''];
    if (request.method !== 'GET' || checks === undefined) {
      response.writeHead(404).end();
      return;
    }
    void failingChecks(checks, logger).then((failing) =>
      answer(response, failing.length === 0 ? 200 : 503, { failing, ...facts() }),
    );
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
