/** The three faults that a part of Intake can be struck with, and their end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ground, Target } from './ground.ts';

/** `kill`: SIGKILL, and started again at once. `pause`: SIGSTOP for a while. `cut`: nobody reaches it for a while. */
export const faults = ['kill', 'pause', 'cut'] as const;
export type Fault = (typeof faults)[number];

/** A worker is silent for longer than its heartbeats may be. */
const OUT_MS = 4_000;

export interface End {
  /** When the part was started again, woke up or was reached again; epoch milliseconds. */
  readonly atMs: number;
  /** How long a killed one took from there until it was ready. */
  readonly readyMs?: number;
}

/** Resolves when the fault is made, with the promise of its end. */
export async function strike(
  ground: Ground,
  target: Target,
  fault: Fault,
): Promise<{ readonly over: Promise<End> }> {
  switch (fault) {
    case 'kill':
      await ground.kill(target);
      return { over: restart(ground, target) };
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

export async function restart(ground: Ground, target: Target): Promise<End> {
  const atMs = Date.now();
  await ground.programs[target].start();
  return { atMs, readyMs: Date.now() - atMs };
}

async function after(end: () => void): Promise<End> {
  await delay(OUT_MS);
  end();
  return { atMs: Date.now() };
}
