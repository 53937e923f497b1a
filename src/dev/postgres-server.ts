/** A real Postgres with pgvector on loopback, its data in a folder of ours. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import getPort from 'get-port';
import { IntakeError } from '../domain/errors.ts';
import {
  type Child,
  type ChildOptions,
  describeExit,
  startChild,
  untilReady,
} from './child-process.ts';
import { giveTo, type Launcher, postgresLauncher } from './postgres-launcher.ts';
import { type PostgresVersion, postgresFolder } from './tools.ts';

export interface PostgresOptions {
  /** Made by initdb when it is not there yet; the superuser's password is kept beside it. */
  readonly dataDirectory: string;
  readonly logFile: string;
  /** A free one unless given. */
  readonly port?: number;
  /** 18 unless told. */
  readonly version?: PostgresVersion;
  /** For tests: nothing is flushed to disk, a crash of the machine loses the data. */
  readonly disposable?: boolean;
  readonly onSpawn?: ChildOptions['onSpawn'];
}

export interface PostgresServer extends Child {
  readonly url: string;
}

const HOST = '127.0.0.1';

const disposableSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dataDirectory, disposable = false } = options;
  const folder = postgresFolder(options.version ?? 18);
  mkdirSync(dirname(dataDirectory), { recursive: true });
  const launcher = postgresLauncher(folder, dirname(dataDirectory));
  if (!existsSync(dataDirectory)) await initialize(options, folder, launcher);
  giveTo(launcher, dataDirectory);

  const port = options.port ?? (await getPort({ host: HOST }));
  const settings = {
    listen_addresses: HOST,
    port: `${port}`,
    unix_socket_directories: '', // only the password lets anyone in
    ...(disposable ? disposableSettings : {}),
  };
  const child = await startChild({
    name: 'postgres',
    ...launcher.wrap(join(folder, 'postgres'), [
      ...['-D', dataDirectory],
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ]),
    logFile: options.logFile,
    stopSignal: 'SIGINT', // fast shutdown: SIGTERM would wait for every connection
    stopTimeoutMs: 20_000,
    onSpawn: options.onSpawn,
  });
  await untilReady(child, async () => isReady(dataDirectory, child.pid));
  const password = readFileSync(passwordFile(dataDirectory), 'utf8');
  return { ...child, url: `postgres://postgres:${password}@${HOST}:${port}/postgres` };
}

/** Under another name first: the data folder appears whole or not at all. */
async function initialize(
  options: PostgresOptions,
  folder: string,
  launcher: Launcher,
): Promise<void> {
  const { dataDirectory } = options;
  const unfinished = `${dataDirectory}.tmp`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile(dataDirectory), randomBytes(24).toString('hex'), { mode: 0o600 });
  giveTo(launcher, unfinished);
  giveTo(launcher, passwordFile(dataDirectory));
  const initdb = await startChild({
    name: 'initdb',
    ...launcher.wrap(join(folder, 'initdb'), [
      ...['-D', unfinished, '--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8'],
      `--pwfile=${passwordFile(dataDirectory)}`,
      ...localeArguments(options.version ?? 18),
      ...(options.disposable ? ['--no-sync'] : []),
    ]),
    logFile: options.logFile,
    stopTimeoutMs: 0,
    onSpawn: options.onSpawn,
  });
  const exit = await initdb.exited;
  if (exit.code !== 0) {
    throw new IntakeError('SERVICE_UNAVAILABLE', {
      detail: [`initdb ${describeExit(exit)}. Its last lines:`, ...exit.lastLines].join('\n'),
    });
  }
  renameSync(unfinished, dataDirectory);
}

/** The same letters and order on every machine; the provider without libc exists since 17. */
function localeArguments(version: PostgresVersion): readonly string[] {
  return version >= 17
    ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    : [process.platform === 'darwin' ? '--locale=en_US.UTF-8' : '--locale=C.UTF-8'];
}

function passwordFile(dataDirectory: string): string {
  return `${dataDirectory}.password`;
}

/** By the lock file that the server itself writes: its first line is the pid, its eighth the state. */
function isReady(dataDirectory: string, pid: number): boolean {
  const lockFile = join(dataDirectory, 'postmaster.pid');
  if (!existsSync(lockFile)) return false;
  const lines = readFileSync(lockFile, 'utf8').split('\n');
  return lines[0] === `${pid}` && lines[7]?.trim() === 'ready';
}
