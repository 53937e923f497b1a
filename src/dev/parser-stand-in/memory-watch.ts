/** For systems that do not enforce `ulimit -v` (macOS): looks at a process's memory four times a second. */
import { execFile } from 'node:child_process';

const INTERVAL_MS = 250;

/** Calls `exceeded` once resident memory is over the limit. Returns the function that ends the watch. */
export function watchMemory(pid: number, limitKib: number, exceeded: () => void): () => void {
  const timer = setInterval(() => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_error, stdout) => {
      if (Number(stdout) > limitKib) exceeded();
    });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
