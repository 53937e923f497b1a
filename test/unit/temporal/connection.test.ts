/** Client and worker reach Temporal by the SDK's standard environment alone: TLS, API key, and a key that changes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTemporalClient, requireSearchAttributes } from '../../../src/temporal/client.ts';
import { connectWorker } from '../../../src/worker/connect.ts';
import { type GrpcServer, startGrpcServer } from '../../support/grpc-server.ts';

const certificates = new URL('../../fixtures/tls/', import.meta.url).pathname;
const pem = (name: string) => readFileSync(join(certificates, name), 'utf8');
const logger = pino({ level: 'silent' });
const LONGER_THAN_A_LOOK_MS = 15_000;
const CALL_DEADLINE_MS = 3_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-profile-'));
  writeProfile('[profile.default]\n');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function writeProfile(text: string): void {
  const file = join(folder, 'temporal.toml');
  writeFileSync(file, text);
  vi.stubEnv('TEMPORAL_CONFIG_FILE', file);
}

const withKey = (server: GrpcServer, apiKey: string) =>
  `[profile.default]\naddress = "${server.address}"\napi_key = "${apiKey}"\n[profile.default.tls]\ndisabled = true\n`;

async function start(options?: Parameters<typeof startGrpcServer>[0]): Promise<GrpcServer> {
  const server = await startGrpcServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** How each of our two connections makes a call. */
const callers = {
  client: async (onFault: (error: unknown) => void) => {
    const temporal = createTemporalClient({ dataConverter: {}, onFault });
    const { connection } = temporal.client;
    // The SDK would try for longer.
    const call = () =>
      connection.withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
        connection.workflowService.getSystemInfo({}),
      );
    return { call, close: temporal.close };
  },
  worker: async () => {
    const { connection, close } = await connectWorker(logger);
    return { call: () => connection.workflowService.getSystemInfo({}), close };
  },
};
const both = Object.entries(callers);

test.each(both)('the %s takes over a new API key while it runs', async (_who, connect) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const server = await start();
  writeProfile(withKey(server, 'first'));
  const { call, close } = await connect(() => {});
  onTestFinished(close);
  await call();
  expect(server.authorizations.at(-1)).toBe('Bearer first');

  writeProfile(withKey(server, 'second'));
  await vi.advanceTimersByTimeAsync(LONGER_THAN_A_LOOK_MS);
  await call();
  expect(server.authorizations.at(-1)).toBe('Bearer second');
});

test('a profile that is half-written leaves the key as it was, and is told', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const server = await start();
  writeProfile(withKey(server, 'first'));
  const onFault = vi.fn<(error: unknown) => void>();
  const { call, close } = await callers.client(onFault);
  onTestFinished(close);
  writeProfile('[profile.def');
  await vi.advanceTimersByTimeAsync(LONGER_THAN_A_LOOK_MS);
  expect(onFault).toHaveBeenCalledOnce();
  await call();
  expect(server.authorizations.at(-1)).toBe('Bearer first');
});

test.each(both)('the %s shows its certificate and asks for the server’s', async (_who, connect) => {
  const server = await start({
    tls: {
      cert: pem('server.pem'),
      key: pem('server.key'),
      ca: pem('ca.pem'),
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  vi.stubEnv('TEMPORAL_ADDRESS', server.address);
  vi.stubEnv('TEMPORAL_TLS', 'true');
  vi.stubEnv('TEMPORAL_TLS_SERVER_CA_CERT_PATH', join(certificates, 'ca.pem'));
  vi.stubEnv('TEMPORAL_TLS_CLIENT_CERT_PATH', join(certificates, 'client.pem'));
  vi.stubEnv('TEMPORAL_TLS_CLIENT_KEY_PATH', join(certificates, 'client.key'));
  const { call, close } = await connect(() => {});
  onTestFinished(close);
  await call();
  expect(server.clients.at(-1)).toBe('client');
});

test.each(both)('the %s does not speak to a server of another authority', async (_who, connect) => {
  const server = await start({ tls: { cert: pem('server.pem'), key: pem('server.key') } });
  vi.stubEnv('TEMPORAL_ADDRESS', server.address);
  vi.stubEnv('TEMPORAL_API_KEY', 'a-key-that-is-not-for-everybody'); // turns TLS on by itself
  const met = connect(() => {}).then(async ({ call, close }) => {
    onTestFinished(close);
    await call();
  });
  await expect(met).rejects.toThrow();
  expect(server.refusals.length).toBeGreaterThan(0);
  expect(server.authorizations).toEqual([]);
});

describe('search attributes', () => {
  const PERMISSION_DENIED = 7;
  const { DescribeNamespaceResponse } = proto.temporal.api.workflowservice.v1;

  /** As Temporal Cloud answers, where nobody may ask for the operator's list. */
  async function onCloud(aliases: Record<string, string>) {
    const message = DescribeNamespaceResponse.encode({
      config: { customSearchAttributeAliases: aliases },
    }).finish();
    const server = await start({
      answers: {
        ListSearchAttributes: { status: PERMISSION_DENIED },
        DescribeNamespace: { message },
      },
    });
    vi.stubEnv('TEMPORAL_ADDRESS', server.address);
    const temporal = createTemporalClient({ dataConverter: {}, onFault: () => {} });
    onTestFinished(() => temporal.close());
    return temporal;
  }

  test('are found on Temporal Cloud as well', async () => {
    const temporal = await onCloud({ Keyword01: 'DocumentStatus', Keyword02: 'TenantId' });
    await requireSearchAttributes(temporal, ['DocumentStatus', 'TenantId']);
  });

  test('and missed there', async () => {
    const temporal = await onCloud({ Keyword01: 'DocumentStatus' });
    await expect(
      requireSearchAttributes(temporal, ['DocumentStatus', 'TenantId']),
    ).rejects.toMatchObject({ detail: 'search attributes not registered: TenantId' });
  });
});
