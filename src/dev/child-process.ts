/**
 * One way to run a long-lived child: in its own process group, so that a terminal's Ctrl-C reaches only us;
 * its output goes straight to a log file, so that it neither blocks on nor dies with this process.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IntakeError } from '../domain/errors.ts';

export interface ChildOptions {
  /** For messages: `postgres`, `temporal`, `worker`, … */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** Output is appended; a log over 10 MB is set aside as `<logFile>.old` first. */
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Signal of a graceful stop, `SIGTERM` unless told. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long a graceful stop may take before the whole group is killed, 10 s unless told. */
  readonly stopTimeoutMs?: number;
  /** Told of the child as soon as it has a pid, long before it is ready. */
  readonly onSpawn?: ((child: Child) => void) | undefined;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether `stop` was called before. */
  readonly expected: boolean;
  /** The last lines of this run's output. */
  readonly lastLines: readonly string[];
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves once, never rejects. */
  readonly exited: Promise<ChildExit>;
  lastLines(): readonly string[];
  /** Graceful signal to the child, after the limit SIGKILL to its group. Resolves when it is gone; safe to repeat. */
  stop(options?: {
    readonly signal?: NodeJS.Signals;
    readonly timeoutMs?: number;
  }): Promise<ChildExit>;
}

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 30;
const PROBE_INTERVAL_MS = 25;

/** Starts the child; throws `SERVICE_UNAVAILABLE` when its program cannot be run at all. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, logFile } = options;
  const log = openLog(logFile);
  const spawned = spawn(command, options.args ?? [], spawnOptions(options, log.descriptor));
  closeSync(log.descriptor);
  await new Promise<void>((resolve, reject) => {
    spawned.once('spawn', resolve);
    spawned.once('error', (cause) =>
      reject(
        new IntakeError('SERVICE_UNAVAILABLE', {
          detail: `${name} cannot be started: ${cause.message}`,
          cause,
        }),
      ),
    );
  });

  const { pid } = spawned;
  if (pid === undefined) throw new IntakeError('INTERNAL_ERROR', { detail: `${name} has no pid` });
  const lastLines = () => readLastLines(logFile, log.start);
  let stopping = false;
  const exited = new Promise<ChildExit>((resolve) => {
    spawned.once('exit', (code, signal) => {
      signalProcess(-pid, 'SIGKILL'); // whatever it left behind in its group
      resolve({ code, signal, expected: stopping, lastLines: lastLines() });
    });
  });

  const child: Child = {
    name,
    pid,
    logFile,
    exited,
    lastLines,
    async stop({
      signal = options.stopSignal ?? 'SIGTERM',
      timeoutMs = options.stopTimeoutMs ?? 10_000,
    } = {}) {
      stopping = true;
      if (spawned.exitCode === null && spawned.signalCode === null) signalProcess(pid, signal);
      const killing = setTimeout(() => signalProcess(-pid, 'SIGKILL'), timeoutMs);
      return exited.finally(() => clearTimeout(killing));
    },
  };
  options.onSpawn?.(child);
  return child;
}

/** Waits until `probe` says yes; stops the child and throws `SERVICE_UNAVAILABLE` when it exits or takes too long. */
export async function untilReady(
  child: Child,
  probe: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let exit: ChildExit | undefined;
  void child.exited.then((value) => {
    exit = value;
  });
  while (!(await probe())) {
    if (exit !== undefined || Date.now() > deadline) {
      const reason = exit === undefined ? `is not ready after ${timeoutMs} ms` : describeExit(exit);
      const { lastLines } = await child.stop();
      throw new IntakeError('SERVICE_UNAVAILABLE', {
        detail: [`${child.name} ${reason}. Its last lines:`, ...lastLines].join('\n'),
      });
    }
    await delay(PROBE_INTERVAL_MS);
  }
}

/** `ended with code 1`, `was killed by SIGKILL`. */
export function describeExit(exit: ChildExit): string {
  return exit.signal === null ? `ended with code ${exit.code}` : `was killed by ${exit.signal}`;
}

function spawnOptions(options: ChildOptions, log: number): SpawnOptions {
  const { cwd, env, uid, gid } = options;
  return {
    detached: true,
    stdio: ['ignore', log, log],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

/** False when the process or group is gone already. */
function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function openLog(logFile: string): { descriptor: number; start: number } {
  mkdirSync(dirname(logFile), { recursive: true });
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const full = size > LOG_LIMIT_BYTES;
  if (full) renameSync(logFile, `${logFile}.old`);
  return { descriptor: openSync(logFile, 'a'), start: full ? 0 : size };
}

function readLastLines(logFile: string, start: number): readonly string[] {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const from = Math.max(start, size - TAIL_BYTES);
  const buffer = Buffer.alloc(Math.max(0, size - from));
  if (buffer.length === 0) return [];
  const descriptor = openSync(logFile, 'r');
  try {
    readSync(descriptor, buffer, 0, buffer.length, from);
  } finally {
    closeSync(descriptor);
  }
  return buffer.toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES);
}
