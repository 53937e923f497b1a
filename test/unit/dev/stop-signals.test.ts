import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { listenForStop } from '../../../src/dev/stop-signals.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const before = signals.map((signal) => process.listeners(signal));
afterEach(() => {
  vi.useRealTimers();
  for (const [index, signal] of signals.entries()) {
    for (const listener of process.listeners(signal)) {
      if (!before[index]?.includes(listener)) process.off(signal, listener);
    }
  }
});

function stateOf(promise: Promise<unknown>): Promise<'settled' | 'pending'> {
  return Promise.race([
    promise.then(() => 'settled' as const),
    delay(0).then(() => 'pending' as const),
  ]);
}

test('the first signal is told by name', async () => {
  const stop = listenForStop();
  process.emit('SIGHUP');
  await expect(stop.first).resolves.toBe('SIGHUP');
});

test('one press that arrives several times is one press, a later one is the second', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const stop = listenForStop();
  process.emit('SIGINT');
  vi.setSystemTime(Date.now() + 30);
  process.emit('SIGINT');
  process.emit('SIGTERM');
  await expect(stateOf(stop.second)).resolves.toBe('pending');
  vi.setSystemTime(Date.now() + 1_000);
  process.emit('SIGINT');
  await expect(stateOf(stop.second)).resolves.toBe('settled');
});
