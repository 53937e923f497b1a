/** The children of the local stack: how each is started, and how it is known to be ready. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild, untilReady } from './child-process.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import type { Plan } from './prepare-stack.ts';
import type { StateFolder } from './state-folder.ts';
import type { Service } from './supervisor.ts';
import { startTemporal, type TemporalServer } from './temporal-server.ts';

export function postgresService({ ports }: Plan, folder: StateFolder): Service<PostgresServer> {
  return {
    name: 'postgres',
    start: (onSpawn) =>
      startPostgres({
        dataDirectory: folder.dataPath('postgres'),
        logFile: folder.logFile('postgres'),
        port: ports.postgres,
        onSpawn,
      }),
  };
}

export function temporalService({ ports }: Plan, folder: StateFolder): Service<TemporalServer> {
  return {
    name: 'temporal',
    start: (onSpawn) =>
      startTemporal({
        databaseFile: folder.dataPath('temporal.db'),
        logFile: folder.logFile('temporal'),
        port: ports.temporal,
        httpPort: ports.temporalHttp,
        uiPort: ports.temporalUi,
        onSpawn,
      }),
  };
}

export function storageService({ ports, secrets, config }: Plan, folder: StateFolder): Service {
  return standIn('storage', folder, {
    dataFolder: folder.dataPath('storage'),
    serviceKey: secrets.serviceKey,
    port: ports.storage,
    uploadUrlLifetimeSeconds: config.UPLOAD_URL_LIFETIME_SECONDS,
  });
}

export function parserService({ ports, secrets, config }: Plan, folder: StateFolder): Service {
  return standIn('parser', folder, {
    dataFolder: folder.dataPath('parser'),
    apiKey: secrets.parserKey,
    port: ports.parser,
    maxPages: config.MAX_PAGES,
    maxMarkdownBytes: config.MAX_MARKDOWN_BYTES,
  });
}

export function embeddingService({ ports, secrets }: Plan, folder: StateFolder): Service {
  return standIn('embedding', folder, { apiKey: secrets.embeddingsKey, port: ports.embedding });
}

/** Longer than the phases of their own stops together. */
const STOP_TIMEOUT_MS = 35_000;

export function workerService(environment: NodeJS.ProcessEnv, folder: StateFolder): Service {
  return nodeService({
    name: 'worker',
    program: 'worker/main.ts',
    environment,
    folder,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    isReady: async (child) => hasPrinted(child, '"msg":"worker ready"'),
  });
}

export function apiService(
  environment: NodeJS.ProcessEnv,
  url: string,
  folder: StateFolder,
): Service {
  return nodeService({
    name: 'api',
    program: 'api/main.ts',
    environment,
    folder,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    isReady: () => answersReady(`${url}/health/ready`),
  });
}

function standIn(
  name: 'storage' | 'parser' | 'embedding',
  folder: StateFolder,
  options: Readonly<Record<string, unknown>>,
): Service {
  // Without the caller's keys: a stand-in reads files that nobody vouches for.
  const { PATH, HOME, TMPDIR } = process.env;
  return nodeService({
    name,
    program: `dev/${name}-stand-in/main.ts`,
    environment: { PATH, HOME, TMPDIR, STAND_IN_OPTIONS: JSON.stringify(options) },
    folder,
    isReady: async (child) => hasPrinted(child, '"ready":true'),
  });
}

/** A busy machine compiles the workflows on a first start. */
const READY_TIMEOUT_MS = 60_000;

interface NodeService {
  readonly name: string;
  /** Below `src`. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: StateFolder;
  readonly stopTimeoutMs?: number;
  isReady(child: Child): Promise<boolean>;
}

function nodeService(options: NodeService): Service {
  const { name, stopTimeoutMs } = options;
  return {
    name,
    async start(onSpawn) {
      const child = await startChild({
        name,
        command: process.execPath,
        args: [
          '--disable-warning=ExperimentalWarning',
          join(import.meta.dirname, '..', options.program),
        ],
        logFile: options.folder.logFile(name),
        env: options.environment,
        ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
        onSpawn,
      });
      await untilReady(child, () => options.isReady(child), READY_TIMEOUT_MS);
      return child;
    },
  };
}

function hasPrinted(child: Child, words: string): boolean {
  return child.lastLines().some((line) => line.includes(words));
}

const HEALTH_PAUSE_MS = 50;

async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
    if (response.ok) return true;
  } catch {
    // Nobody listens yet.
  }
  await delay(HEALTH_PAUSE_MS);
  return false;
}
