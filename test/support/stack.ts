/**
 * A private Intake as its operators run it: API and worker are processes that can be killed and started again.
 * The vendors' stand-ins are in this process; Postgres and Temporal are the caller's.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child, ChildExit } from '../../src/dev/child-process.ts';
import { mintUserToken } from '../../src/dev/dev-identity.ts';
import { choosePorts } from '../../src/dev/ports.ts';
import * as StackServices from '../../src/dev/stack-services.ts';
import { stateFolder, writePrivately } from '../../src/dev/state-folder.ts';
import type { Service } from '../../src/dev/supervisor.ts';
import { IntakeError } from '../../src/domain/errors.ts';
import { endsWithUs } from './ends-with-us.ts';
import { payloadEncryption } from './payload-encryption.ts';
import { createPerson, type Person } from './person.ts';
import { type StandInOptions, type StandIns, startStandIns } from './stand-ins.ts';

export interface StackOptions extends StandInOptions {
  /** A migrated database. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** Configuration besides the usual of tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the API alone. */
  readonly apiEnvironment?: Readonly<Record<string, string>>;
  /** Of another version of the project. */
  readonly services?: Pick<typeof StackServices, 'apiService' | 'workerService'>;
}

export interface Program {
  readonly pid: number;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  /** SIGKILL, to it and to all that it started. */
  kill(): Promise<void>;
  /** SIGTERM; how it ended, `undefined` when it did not run. */
  stop(): Promise<ChildExit | undefined>;
  /** Everything that it has written since the first start. */
  output(): Promise<string>;
}

export interface Stack extends Pick<StandIns, 'faults' | 'folders'> {
  readonly url: string;
  readonly taskQueue: string;
  /** Where each process tells its metrics: host and port. */
  readonly metricsAddresses: { readonly api: string; readonly worker: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly api: Program;
  readonly worker: Program;
  /** Where both keep temporary files. */
  readonly temporaryFolder: string;
  person(): Promise<Person>;
  close(): Promise<void>;
}

/** Starts the API; the worker is started by the test. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const root = await mkdtemp(join(tmpdir(), 'intake-stack-'));
  const folder = stateFolder(root);
  const temporaryFolder = join(root, 'tmp');
  await mkdir(temporaryFolder);
  writePrivately(folder.temporalProfileFile, '[profile.default]\n');
  const standIns = await startStandIns(root, options);
  const ports = await choosePorts(folder.portsFile);
  const port = ports.api;
  const url = `http://127.0.0.1:${port}`;
  const { PATH = '', HOME = '' } = process.env;
  const environment = {
    ...{ PATH, HOME, TMPDIR: temporaryFolder },
    ...standIns.environment,
    DATABASE_URL: options.databaseUrl,
    TEMPORAL_ADDRESS: options.temporalAddress,
    TEMPORAL_CONFIG_FILE: folder.temporalProfileFile,
    TASK_QUEUE: `test-${randomUUID()}`,
    API_PORT: `${port}`,
    API_DRAIN_SECONDS: '0',
    WORKER_HEALTH_PORT: '0',
    PUBLIC_URL: url,
    MAX_REQUESTS_PER_MINUTE: '100000',
    ...payloadEncryption,
    ...options.environment,
  };
  const apiEnvironment = {
    ...environment,
    METRICS_PORT: `${ports.apiMetrics}`,
    ...options.apiEnvironment,
  };
  const workerEnvironment = { ...environment, METRICS_PORT: `${ports.workerMetrics}` };
  const { apiService, workerService } = options.services ?? StackServices;
  const api = program(apiService(apiEnvironment, url, folder));
  const worker = program(workerService(workerEnvironment, folder));
  await api.start();
  return {
    url,
    environment,
    api,
    worker,
    temporaryFolder,
    taskQueue: environment.TASK_QUEUE,
    metricsAddresses: {
      api: `127.0.0.1:${ports.apiMetrics}`,
      worker: `127.0.0.1:${ports.workerMetrics}`,
    },
    faults: standIns.faults,
    folders: standIns.folders,
    person: async () => {
      const ownerId = randomUUID();
      const { jwtSecret, environment: given } = standIns;
      const supabaseUrl = given['SUPABASE_URL'] ?? '';
      return createPerson(
        url,
        ownerId,
        await mintUserToken(jwtSecret, { id: ownerId, supabaseUrl }),
      );
    },
    close: async () => {
      await Promise.all([api.stop(), worker.stop()]);
      await standIns.close();
      await rm(root, { recursive: true });
    },
  };
}

/** One of the stack's processes, which may be ended and started again. */
export function program(service: Service): Program {
  let child: Child | undefined;
  let logFile: string | undefined;
  const end = async (how: (running: Child) => Promise<ChildExit>) => {
    const exit = child === undefined ? undefined : await how(child);
    child = undefined;
    return exit;
  };
  return {
    get pid() {
      if (child === undefined) throw new Error(`${service.name} does not run`);
      return child.pid;
    },
    start: async () => {
      const starting = service.start((spawned) => {
        logFile = spawned.logFile;
        endsWithUs(spawned);
      });
      child = await starting.catch((error: unknown) => {
        throw error instanceof IntakeError ? new Error(error.detail, { cause: error }) : error;
      });
    },
    kill: async () => {
      await end((running) => running.stop({ signal: 'SIGKILL', timeoutMs: 0 }));
    },
    stop: () => end((running) => running.stop()),
    output: async () => (logFile === undefined ? '' : readFile(logFile, 'utf8')),
  };
}
