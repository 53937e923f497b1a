/** The real Temporal dev server on loopback, with the flags that the project needs. It has no authentication. */
import { createServer } from 'node:net';
import { Connection } from '@temporalio/client';
import getPort from 'get-port';
import { IntakeError } from '../domain/errors.ts';
import { searchAttributeNames } from '../domain/run.ts';
import { type Child, type ChildOptions, startChild, untilReady } from './child-process.ts';
import { temporalExecutable } from './tools.ts';

export interface TemporalOptions {
  readonly logFile: string;
  /** Where runs are kept; without it in memory. */
  readonly databaseFile?: string;
  /** Ports that are not given are free ones. */
  readonly port?: number;
  readonly httpPort?: number;
  /** Port of the Web UI; without it there is none. */
  readonly uiPort?: number;
  /** Dynamic configuration besides ours. */
  readonly dynamicConfig?: Readonly<Record<string, unknown>>;
  readonly onSpawn?: ChildOptions['onSpawn'];
}

export interface TemporalServer extends Child {
  /** host:port of the gRPC service. */
  readonly address: string;
}

const HOST = '127.0.0.1';

const dynamicConfig = {
  'system.enableActivityEagerExecution': true,
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
  // The one shard of the dev server polls its queues at most 20 times a second unless told.
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  // A timer shorter than this waits for as long (default 1 s): the retry after a lost worker is one.
  'history.timerProcessorMaxTimeShift': '100ms',
  // Its HTTP API takes cross-site posts and cannot be switched off: no Host is allowed.
  'frontend.httpAllowedHosts': ['closed.invalid'],
};

export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const port = options.port ?? (await getPort({ host: HOST }));
  await assertFree(port); // else a foreign server would look like ours
  const child = await startChild({
    name: 'temporal',
    command: temporalExecutable(),
    args: await serverArguments(options, port),
    logFile: options.logFile,
    env: serverEnvironment(),
    onSpawn: options.onSpawn,
  });
  const address = `${HOST}:${port}`;
  const connection = Connection.lazy({ address });
  try {
    await untilReady(child, () => isServing(connection));
  } finally {
    await connection.close();
  }
  return { ...child, address };
}

async function serverArguments(options: TemporalOptions, port: number): Promise<string[]> {
  const httpPort = options.httpPort ?? (await getPort({ host: HOST }));
  return [
    ...['server', 'start-dev', '--namespace', 'default', '--log-level', 'warn'],
    ...['--ip', HOST, '--port', `${port}`, '--http-port', `${httpPort}`],
    ...(options.uiPort === undefined
      ? ['--headless']
      : ['--ui-ip', HOST, '--ui-port', `${options.uiPort}`, '--ui-disable-news-fetch']),
    ...(options.databaseFile === undefined
      ? []
      : [
          '--db-filename',
          options.databaseFile,
          ...pragmas('journal_mode=WAL', 'synchronous=NORMAL'),
        ]),
    ...Object.values(searchAttributeNames).flatMap((name) => [
      '--search-attribute',
      `${name}=Keyword`,
    ]),
    ...Object.entries({ ...dynamicConfig, ...options.dynamicConfig }).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

function pragmas(...settings: string[]): string[] {
  return settings.flatMap((setting) => ['--sqlite-pragma', setting]);
}

/** Without the caller's TEMPORAL_*, which the CLI would read as its own options. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith('TEMPORAL_')),
  );
}

async function isServing(connection: Connection): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + 1000, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    );
    return true;
  } catch {
    return false; // any error means not yet; `untilReady` has the last word
  }
}

async function assertFree(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer().once('error', reject).listen(port, HOST, resolve);
  await promise.catch((cause: unknown) => {
    throw new IntakeError('CONFIGURATION_INVALID', { detail: `Port ${port} is taken.`, cause });
  });
  await new Promise((closed) => server.close(closed));
}
