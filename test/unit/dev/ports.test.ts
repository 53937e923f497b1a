import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearLockedPorts } from 'get-port';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { choosePorts } from '../../../src/dev/ports.ts';

let folder: string;
let file: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-ports-'));
  file = join(folder, 'state.json');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

/** As the next start would: `get-port` remembers within one process what it gave away. */
function choose(apiPort?: number) {
  clearLockedPorts();
  return choosePorts(file, apiPort);
}

async function occupy(port: number): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('ports are all different and the same again at the next start', async () => {
  const first = await choose();
  expect(new Set(Object.values(first)).size).toBe(Object.values(first).length);
  expect(await choose()).toEqual(first);
});

test('a port taken meanwhile is replaced, the others stay', async () => {
  const first = await choose();
  await occupy(first.temporalUi);
  const second = await choose();
  expect(second.temporalUi).not.toBe(first.temporalUi);
  expect({ ...second, temporalUi: 0 }).toEqual({ ...first, temporalUi: 0 });
});

test('a port that was asked for is taken, and only this once', async () => {
  const first = await choose();
  const wished = await choose(first.api + 500);
  expect(wished.api).toBe(first.api + 500);
  expect((await choose()).api).toBe(first.api);
});

test('a port that was asked for and is taken is refused in words', async () => {
  const port = await occupy(0);
  await expect(choose(port)).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    detail: expect.stringContaining(`port ${port} is taken`),
  });
});
