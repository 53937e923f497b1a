import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTemporalClient } from '../../../src/temporal/client.ts';

const UNAVAILABLE = 14;

test('every try of a call is told, though its caller hears of the last one alone', async () => {
  const failed: number[] = [];
  const { client, close } = createTemporalClient({
    environment: {
      TEMPORAL_ADDRESS: `127.0.0.1:${await portOfNobody()}`,
      TEMPORAL_CONFIG_FILE: emptyProfile(),
    },
    dataConverter: {},
    onFault: () => undefined,
    onFailedCall: (status) => failed.push(status),
  });
  await expect(
    client.withDeadline(Date.now() + 3_000, () => client.workflow.getHandle('none').describe()),
  ).rejects.toThrow();
  expect(failed.filter((status) => status === UNAVAILABLE).length).toBeGreaterThan(1);
  await close();
});

async function portOfNobody(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

function emptyProfile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'intake-profile-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'temporal.toml');
  writeFileSync(file, '[profile.default]\n');
  return file;
}
