/**
 * Runs one document's process within limits: a group of its own, limited memory and processor time, a
 * deadline, nothing of our environment. Whatever a hostile file does to it, we only see how it ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { watchMemory } from './memory-watch.ts';
import {
  type ParseOutcome,
  type ParseSettings,
  parseOutcome,
  parseProgress,
} from './parse-outcome.ts';

export interface ChildLimits {
  readonly memoryKib: number;
  readonly deadline: {
    readonly baseMs: number;
    readonly perPageMs: number;
    readonly perOcrPageMs: number;
  };
}

export interface ChildTask {
  readonly inputPath: string;
  readonly outputPath: string;
  readonly settings: ParseSettings;
  readonly limits: ChildLimits;
}

/** `crash`: out of memory, or native code failed. `fault`: it ended by itself and left no outcome. */
export type ChildEnd = ParseOutcome | 'crash' | 'deadline' | 'fault' | 'cancelled';

const CHILD = fileURLToPath(new URL('./parse-child.ts', import.meta.url));
const HEAP_MIB = 1_024;
/** For a child whose parent was killed while native code kept it from noticing. */
const PROCESSOR_SECONDS = 1_800;
/** A limit that a system does not know is no reason not to run. */
const LIMITED = 'ulimit -t "$1" 2>/dev/null; ulimit -v "$2" 2>/dev/null; shift 2; exec "$@"';

export async function runParseChild(task: ChildTask, signal: AbortSignal): Promise<ChildEnd> {
  const { limits, settings } = task;
  let killedFor: 'crash' | 'deadline' | 'cancelled' | undefined;
  const child = spawnLimited(task);
  const { pid } = child;
  if (pid === undefined) return 'fault';
  const kill = (reason: NonNullable<typeof killedFor>): void => {
    killedFor ??= reason;
    killGroup(pid);
  };
  const cancel = (): void => kill('cancelled');
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel);
  const stopClock = startDeadline(child, { limits, settings }, () => kill('deadline'));
  const stopWatch =
    process.platform === 'linux'
      ? undefined
      : watchMemory(pid, limits.memoryKib, () => kill('crash'));
  try {
    const end = await exitOf(child);
    return killedFor ?? (end === 'answered' ? await readOutcome(task.outputPath) : end);
  } finally {
    signal.removeEventListener('abort', cancel);
    stopClock();
    stopWatch?.();
    killGroup(pid); // whatever it left behind
  }
}

function spawnLimited({ inputPath, outputPath, settings, limits }: ChildTask): ChildProcess {
  const node = [process.execPath, `--max-old-space-size=${HEAP_MIB}`, CHILD];
  const command = [...node, inputPath, outputPath, JSON.stringify(settings)];
  const ceilings = [String(PROCESSOR_SECONDS), String(limits.memoryKib)];
  return spawn('/bin/sh', ['-c', LIMITED, 'sh', ...ceilings, ...command], {
    detached: true,
    env: {},
    // Its output may quote the document: nobody reads it.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** Generous until the child tells how much work there is. Returns the function that stops the clock. */
function startDeadline(
  child: ChildProcess,
  { limits, settings }: Pick<ChildTask, 'limits' | 'settings'>,
  missed: () => void,
): () => void {
  const { baseMs, perPageMs, perOcrPageMs } = limits.deadline;
  const startedAt = performance.now();
  let timer = setTimeout(missed, baseMs + settings.maxPages * perPageMs);
  child.on('message', (message) => {
    const { data } = parseProgress.safeParse(message);
    if (data === undefined) return;
    clearTimeout(timer);
    const allowedMs = baseMs + data.pages * perPageMs + data.ocrPages * perOcrPageMs;
    timer = setTimeout(missed, Math.max(0, startedAt + allowedMs - performance.now()));
  });
  return () => clearTimeout(timer);
}

const FIRST_SIGNAL_CODE = 128;

function exitOf(child: ChildProcess): Promise<'answered' | 'crash' | 'fault'> {
  return new Promise((resolve) => {
    child.once('error', () => resolve('fault'));
    child.once('exit', (code, signal) => {
      if (signal !== null || (code ?? 0) >= FIRST_SIGNAL_CODE) resolve('crash');
      else resolve(code === 0 ? 'answered' : 'fault');
    });
  });
}

async function readOutcome(path: string): Promise<ChildEnd> {
  try {
    return parseOutcome.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return 'fault';
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // the group is gone
  }
}
