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

export interface Struck {
  readonly made: Promise<void>;
  /** Known at once: the document may have ended before the fault is made. */
  readonly over: Promise<End>;
}

export function strike(ground: Ground, target: Target, fault: Fault): Struck {
  const made = make(ground, target, fault);
  const over = made.then(() => end(ground, target, fault));
  // A cell that has gone wrong meanwhile no longer waits for it, and its ground is closed.
  over.catch(() => undefined);
  return { made, over };
}

async function make(ground: Ground, target: Target, fault: Fault): Promise<void> {
  if (fault === 'kill') await ground.kill(target);
  else if (fault === 'pause') ground.signal(target, 'SIGSTOP');
  else for (const wire of ground.wiresOf(target)) wire.cut();
}

async function end(ground: Ground, target: Target, fault: Fault): Promise<End> {
  if (fault === 'kill') return await restart(ground, target);
  await delay(OUT_MS);
  if (fault === 'pause') ground.signal(target, 'SIGCONT');
  else for (const wire of ground.wiresOf(target)) wire.mend();
  return { atMs: Date.now() };
}

export async function restart(ground: Ground, target: Target): Promise<End> {
  const atMs = Date.now();
  await ground.programs[target].start();
  return { atMs, readyMs: Date.now() - atMs };
}
