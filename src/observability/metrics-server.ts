/**
 * `GET /metrics` on a listener of its own, since nobody but the operators' Prometheus is to see it: it asks for no
 * credentials, and stays on loopback unless told.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** Without it nothing listens. */
  readonly port: number | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Brings up to date what is only known by asking. */
  readonly refresh?: () => Promise<void>;
  /** What somebody else has to say in the same format. */
  readonly append?: () => Promise<string>;
}

export interface MetricsServer {
  readonly port: number | undefined;
  close(): Promise<void>;
}

export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, metrics, logger, refresh, append } = options;
  if (port === undefined) return { port, close: async () => undefined };
  metrics.watchProcess();
  const render = async () => {
    await refresh?.();
    const added = await append?.().catch((error: unknown) => {
      logger.warn({ err: error }, "the SDK's metrics could not be read");
      metrics.count('intake_scrape_errors_total', { source: 'sdk' });
      return '';
    });
    return `${await metrics.render()}${added ?? ''}`;
  };
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    render().then(
      (text) => response.writeHead(200, { 'content-type': TEXT_FORMAT }).end(text),
      (error: unknown) => {
        logger.error({ err: error }, 'metrics could not be rendered');
        response.writeHead(500).end();
      },
    );
  });
  await listening(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  logger.info({ port: bound }, 'metrics listener ready');
  return {
    port: bound,
    close: () => new Promise((closed) => server.close(() => closed()).closeAllConnections()),
  };
}

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

async function listening(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
}
