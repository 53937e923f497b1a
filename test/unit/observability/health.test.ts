import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { eventLoopCheck, failingChecks, stoppingCheck } from '../../../src/observability/health.ts';
import { startHealthServer } from '../../../src/observability/health-server.ts';

const logger = pino({ level: 'silent' });
const well = { name: 'database', check: async () => {} };
const ill = { name: 'temporal', check: async () => Promise.reject(new Error('refused')) };

test('an event loop that turns is well, one that stands still is not, and may recover', async () => {
  const check = eventLoopCheck(150);
  await turnsOf(0, 200);
  expect(await failingChecks([check], logger)).toEqual([]);
  await turnsOf(200, 5);
  expect(await failingChecks([check], logger)).toEqual(['event loop']);
  await turnsOf(0, 200);
  expect(await failingChecks([check], logger)).toEqual([]);
});

test('a single long turn among short ones is no reason to end a process', async () => {
  const check = eventLoopCheck(150);
  await turnsOf(0, 200);
  await turnsOf(400, 1);
  await turnsOf(0, 200);
  expect(await failingChecks([check], logger)).toEqual([]);
});

test('a process that was told to stop is not ready', async () => {
  const stopping = new AbortController();
  const check = stoppingCheck(stopping.signal);
  expect(await failingChecks([check], logger)).toEqual([]);
  stopping.abort();
  expect(await failingChecks([check], logger)).toEqual(['stopping']);
});

test('the server answers both questions by their checks, and no other', async () => {
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    logger,
    liveness: [well],
    readiness: [well, ill],
    facts: () => ({ activities: 3 }),
  });
  onTestFinished(() => server.close());
  const ask = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  const live = await ask('/health/live');
  expect([live.status, await live.json()]).toEqual([200, { failing: [], activities: 3 }]);
  const ready = await ask('/health/ready');
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { failing: ['temporal'], activities: 3 },
  ]);
  expect((await ask('/health/ready', 'POST')).status).toBe(404);
  expect((await ask('/metrics')).status).toBe(404);
});

/** Turns of the event loop that take `blockedMs` each; those without work last about a millisecond. */
async function turnsOf(blockedMs: number, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    const end = performance.now() + Math.max(blockedMs, 1);
    while (performance.now() < end);
    await nextTurn();
  }
}
