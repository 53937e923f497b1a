/** Resident memory of a process in megabytes, now or at its highest. Read from /proc: Linux only. */
import { readFile } from 'node:fs/promises';

export async function memoryOf(pid: number, key: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
}
