/** The three faults that a part of Intake can be struck with, and their end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ground, Target } from './ground.ts';

/** `kill`: SIGKILL, and started again at once. `pause`: SIGSTOP for a while. `cut`: nobody reaches it for a while. */
export const faults = ['kill', 'pause', 'cut'] as const;
export type Fault = (typeof faults)[number];

/** A worker is silent for longer than its heartbeats may be. */
const OUT_MS = 4_000;

/** Resolves when the fault is made, with the promise of its end: when the part was there again, in epoch milliseconds. */
export async function strike(
  ground: Ground,
  target: Target,
  fault: Fault,
): Promise<{ readonly over: Promise<number> }> {
  switch (fault) {
    case 'kill': {
      await ground.kill(target);
      const restartedAt = Date.now();
      return { over: ground.programs[target].start().then(() => restartedAt) };
    }
    case 'pause':
      ground.signal(target, 'SIGSTOP');
      return { over: after(() => ground.signal(target, 'SIGCONT')) };
    case 'cut':
      for (const wire of ground.wiresOf(target)) wire.cut();
      return {
        over: after(() => {
          for (const wire of ground.wiresOf(target)) wire.mend();
        }),
      };
    default:
      return fault satisfies never;
  }
}

async function after(end: () => void): Promise<number> {
  await delay(OUT_MS);
  end();
  return Date.now();
}
