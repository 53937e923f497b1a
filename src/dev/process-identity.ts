/**
 * Who a pid is right now. Pids are used again, so one remembered in a file means something only together
 * with the moment its process began and the command it runs.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Only compared, never read: ticks since a named boot on Linux, a date elsewhere. */
  readonly startedAt: string;
  readonly command: string;
}

/** `undefined` when there is no such process, or only its zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  return process.platform === 'linux' ? readProcFolder(pid) : askPs(pid);
}

/** Does this very process still run? A wrapper that replaced itself (`unshare … postgres`) ends with the same words. */
export function stillRuns(remembered: ProcessIdentity): boolean {
  const now = identifyProcess(remembered.pid);
  return (
    now !== undefined &&
    now.startedAt === remembered.startedAt &&
    remembered.command.endsWith(now.command)
  );
}

function readProcFolder(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name in brackets, may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || ticks === undefined) return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, startedAt: `${boot}/${ticks}`, command };
  } catch {
    return undefined; // it ended while we looked
  }
}

const LSTART_WIDTH = 'Tue Nov 24 13:22:21 2026'.length;

function askPs(pid: number): ProcessIdentity | undefined {
  try {
    const line = execFileSync(
      'ps',
      ['-o', 'lstart=', '-o', 'stat=', '-o', 'command=', '-p', `${pid}`],
      {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ).trim();
    const [, state = '', command = ''] =
      /^(\S+)\s+(.*)$/.exec(line.slice(LSTART_WIDTH).trim()) ?? [];
    return state.startsWith('Z')
      ? undefined
      : { pid, startedAt: line.slice(0, LSTART_WIDTH), command };
  } catch {
    return undefined; // ps ends with 1 when there is no such pid
  }
}
