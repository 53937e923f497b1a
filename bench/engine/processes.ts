/** What processes have used, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

interface Stat {
  readonly parent: number;
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
}

/** CPU of a process, of its children at work (Postgres has one for each connection) and of those that have ended. */
export function cpuMs(pid: number): number {
  const own = statOf(pid);
  if (own === undefined) return 0;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid);
  const running = children.reduce((sum, child) => sum + (child?.cpuMs ?? 0), 0);
  return own.cpuMs + own.childrenCpuMs + running;
}

/** Resident memory in MB. */
export function memoryMb(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m);
  return Number(line?.[1] ?? 0) / 1024;
}

/** `undefined` when it has ended. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in brackets may hold blanks; counted from behind it: state, parent, …
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => Number(fields[index]) * TICK_MS;
  return {
    parent: Number(fields[1]),
    cpuMs: ticks(11) + ticks(12),
    childrenCpuMs: ticks(13) + ticks(14),
  };
}
