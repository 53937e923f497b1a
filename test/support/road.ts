/**
 * The whole road in this process on real parts: API, worker, Postgres, Temporal, and the vendors' stand-ins with
 * their fault scripts. The worker can be stopped and started; everything else stays.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { expect, vi } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { buildServer } from '../../src/api/server.ts';
import { startOutboxSweep } from '../../src/api/services/outbox-sweep.ts';
import { type ApiClient, createApiClient, type DocumentDetail } from '../../src/cli/api-client.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import {
  buildActivityDependencies,
  buildApiDependencies,
  buildShared,
  type Shared,
} from '../../src/dependencies.ts';
import { mintUserToken } from '../../src/dev/dev-identity.ts';
import { type DocumentId, ingestWorkflowId, type OwnerId } from '../../src/domain/ids.ts';
import { isTerminal, type Status } from '../../src/domain/ingestion.ts';
import { createLogger, type Logger } from '../../src/observability/logger.ts';
import { dataConverterOf } from '../../src/temporal/data-converter.ts';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';
import { createWorker } from '../../src/worker/create-worker.ts';
import { workerIdentity } from '../../src/worker/identity.ts';
import { measureActivities } from '../../src/worker/measure-activities.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { sha256, someOwner } from './documents.ts';
import { payloadEncryption } from './payload-encryption.ts';
import { type StandIns, startStandIns } from './stand-ins.ts';
import { connectToTemporal, uniqueTaskQueue } from './temporal.ts';

export interface Person {
  readonly ownerId: OwnerId;
  readonly token: string;
  readonly api: ApiClient;
}

export interface Road {
  readonly url: string;
  readonly config: Config;
  /** From which API and worker have their configuration. */
  readonly environment: Readonly<Record<string, string>>;
  readonly shared: Shared;
  readonly database: TestDatabase;
  readonly temporal: TestWorkflowEnvironment;
  readonly faults: StandIns['faults'];
  /** A new one, unless named; an operator, who owns nothing, on demand. */
  person(who?: OwnerId | 'operator'): Promise<Person>;
  /** `changes` to the configuration are of this worker alone. */
  startWorker(changes?: Partial<Config>): Promise<void>;
  stopWorker(): Promise<void>;
  close(): Promise<void>;
}

interface RoadOptions {
  /** Configuration besides the usual of tests. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly uploadUrlLifetimeSeconds?: number;
  /** Of API and worker; else what the configuration asks for, and nothing where it asks for nothing. */
  readonly logger?: Logger;
  /** What stands already, and is closed with the road; else all is new. */
  readonly ground?: { readonly database: TestDatabase; readonly standIns: StandIns };
}

export async function startRoad({
  environment = {},
  uploadUrlLifetimeSeconds = 7200,
  logger: ownLogger,
  ground,
}: RoadOptions = {}): Promise<Road> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-road-'));
  const database = ground?.database ?? (await createTestDatabase());
  const temporal = await connectToTemporal();
  const standIns = ground?.standIns ?? (await startStandIns(folder, { uploadUrlLifetimeSeconds }));
  const variables = {
    DATABASE_URL: database.url,
    ...standIns.environment,
    TASK_QUEUE: uniqueTaskQueue(),
    MAX_REQUESTS_PER_MINUTE: '100000',
    PARSE_POLL_FIRST_SECONDS: '2',
    ...payloadEncryption,
    ...environment,
  };
  const config = loadConfig(variables);
  const dataConverter = dataConverterOf(config);
  const client = {
    client: new Client({ connection: temporal.connection, dataConverter }),
    namespace: 'default',
    close: async () => {},
  };
  const level = config.LOG_LEVEL === 'info' ? 'silent' : config.LOG_LEVEL;
  const logger = ownLogger ?? createLogger('test', level);
  const apiSide = buildShared(config, logger, client);
  const server = buildServer(buildApiDependencies(apiSide));
  const sweep = startOutboxSweep(apiSide);
  await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const worker = workerOf({ ...config, PUBLIC_URL: url }, { temporal, client, logger });
  return {
    url,
    config,
    environment: { ...variables, PUBLIC_URL: url },
    shared: apiSide,
    database,
    temporal,
    faults: standIns.faults,
    person: async (who) => {
      const ownerId = who === undefined || who === 'operator' ? someOwner() : who;
      const token = await mintUserToken(standIns.jwtSecret, {
        id: ownerId,
        supabaseUrl: config.SUPABASE_URL,
        operator: who === 'operator',
      });
      return { ownerId, token, api: createApiClient({ url, token, patienceMs: 0 }) };
    },
    startWorker: worker.start,
    stopWorker: worker.stop,
    close: async () => {
      await worker.stop();
      await server.close();
      await sweep.stop();
      await apiSide.close();
      await standIns.close();
      await temporal.teardown();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

function workerOf(
  configured: Config,
  {
    temporal,
    client,
    logger,
  }: {
    readonly temporal: TestWorkflowEnvironment;
    readonly client: Shared['temporal'];
    readonly logger: Shared['logger'];
  },
) {
  let draining = new AbortController();
  let running: { readonly worker: Worker; readonly done: Promise<void> } | undefined;
  return {
    start: async (changes: Partial<Config> = {}) => {
      draining = new AbortController();
      const config = { ...configured, ...changes };
      const shared = buildShared(config, logger, client);
      const dependencies = buildActivityDependencies(shared, draining.signal);
      const dataConverter = dataConverterOf(config);
      const worker = await createWorker({
        connection: temporal.nativeConnection,
        namespace: 'default',
        taskQueue: config.TASK_QUEUE,
        identity: await workerIdentity(shared.pool),
        workflowBundlePath: await workflowBundle({ dataConverter }),
        dataConverter,
        activities: createActivities(dependencies),
        activityInterceptors: [measureActivities(shared)],
      });
      const done = worker.run().finally(async () => {
        await dependencies.close();
        await shared.close();
      });
      running = { worker, done };
    },
    stop: async () => {
      draining.abort();
      running?.worker.shutdown();
      await running?.done;
      running = undefined;
    },
  };
}

export interface SomeFile {
  readonly name?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

/** Declares a file; what is declared may be a lie. */
export async function declare(
  person: Person,
  file: SomeFile,
  lie: Partial<{ sizeBytes: number; sha256: string }> = {},
) {
  const { content, name = 'policy.md', type = 'text/markdown' } = file;
  return await person.api.declareUpload({
    name,
    type,
    sizeBytes: Buffer.byteLength(content),
    sha256: sha256(content),
    ...lie,
  });
}

export async function put(url: string | undefined, file: SomeFile): Promise<number> {
  if (url === undefined) throw new Error('no upload URL');
  const response = await fetch(url, {
    method: 'PUT',
    body: Buffer.from(file.content),
    headers: { 'content-type': file.type ?? 'text/markdown' },
  });
  return response.status;
}

/** Declares, uploads and confirms, as a client does. */
export async function upload(person: Person, file: SomeFile): Promise<DocumentId> {
  const declared = await declare(person, file);
  if (declared.uploadUrl) {
    expect(await put(declared.uploadUrl, file)).toBe(200);
    await person.api.confirmUpload(declared.documentId);
  }
  return declared.documentId as DocumentId;
}

/** Waits until the document is at `status`; another end fails at once. */
export async function reach(
  person: Person,
  documentId: DocumentId,
  status: Status,
): Promise<DocumentDetail> {
  return await vi.waitFor(
    async () => {
      const detail = await person.api.document(documentId);
      if (detail.status !== status && isTerminal(detail.status)) {
        expect.fail(`ended as ${detail.status} (${detail.error?.code}) instead of ${status}`);
      }
      expect(detail.status).toBe(status);
      return detail;
    },
    { timeout: 45_000, interval: 50 },
  );
}

/** As the Temporal UI does it: a new run from the first workflow task of the present one, which is terminated. */
export async function reset({ temporal }: Road, documentId: DocumentId): Promise<void> {
  const workflowId = ingestWorkflowId(documentId);
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  await temporal.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
    workflowTaskFinishEventId: firstTask?.eventId ?? null,
    requestId: randomUUID(),
    reason: 'test',
  });
}
