/**
 * Temporal's own metrics of the worker. Its Core serves them itself, so they are read from a port of loopback that only
 * this process asks, and handed on beside ours: operators scrape one address a process.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { RuntimeOptions } from '@temporalio/worker';

const HOST = '127.0.0.1';
const READ_TIMEOUT_MS = 3_000;

export interface SdkMetrics {
  readonly telemetryOptions: NonNullable<RuntimeOptions['telemetryOptions']>;
  read(): Promise<string>;
}

export async function serveSdkMetrics(): Promise<SdkMetrics> {
  const port = await freePort();
  return {
    telemetryOptions: {
      metrics: {
        prometheus: {
          bindAddress: `${HOST}:${port}`,
          // Off by default, and then no ready-made dashboard or rule matches.
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
        },
      },
    },
    read: async () => {
      const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
      const response = await fetch(`http://${HOST}:${port}/metrics`, { signal });
      return await response.text();
    },
  };
}

/** Core does not tell which port it got when it is asked for any. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
