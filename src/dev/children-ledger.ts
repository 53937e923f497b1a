/**
 * The children at work, on disk: when the supervisor itself is killed, they live on in their own process
 * groups, and the next start ends them before it opens the same data.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import type { Child } from './child-process.ts';
import { identifyProcess, stillRuns } from './process-identity.ts';
import { readJson, writePrivately } from './state-folder.ts';

const record = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startedAt: z.string(),
  command: z.string(),
});
type ChildRecord = z.output<typeof record>;

/** Drops the entry by itself when the child ends. */
export interface ChildrenLedger {
  add(child: Child): void;
}

export function openLedger(file: string): ChildrenLedger {
  const records = new Map<number, ChildRecord>();
  const save = () =>
    writePrivately(file, `${JSON.stringify([...records.values()], undefined, 2)}\n`);
  save();
  return {
    add(child) {
      const identity = identifyProcess(child.pid);
      if (identity === undefined) return; // it ended already
      records.set(child.pid, { name: child.name, ...identity });
      save();
      void child.exited.then(() => {
        records.delete(child.pid);
        save();
      });
    },
  };
}

const GRACE_MS = 2_000;
const PROBE_INTERVAL_MS = 25;

/** Ends the children that a killed supervisor left behind, and says which; strangers under their pids are spared. */
export async function endLeftovers(file: string, graceMs = GRACE_MS): Promise<readonly string[]> {
  const left = (readJson(file, z.array(record)) ?? []).filter(stillRuns);
  // SIGTERM would let Postgres wait for its connections; nobody is left to use them.
  for (const { name, pid } of left) signal(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  await allGone(left, graceMs);
  for (const { pid } of left) signal(-pid, 'SIGKILL');
  const stubborn = await allGone(left, graceMs);
  if (stubborn.length > 0) {
    const names = stubborn.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: `Left over from an earlier start and not to be ended: ${names}.`,
    });
  }
  return left.map(({ name }) => name);
}

/** Those that still run at the end of the grace. */
async function allGone(
  children: readonly ChildRecord[],
  graceMs: number,
): Promise<readonly ChildRecord[]> {
  const deadline = Date.now() + graceMs;
  let running = children.filter(stillRuns);
  while (running.length > 0 && Date.now() < deadline) {
    await delay(PROBE_INTERVAL_MS);
    running = running.filter(stillRuns);
  }
  return running;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone: that is what was wanted.
  }
}
