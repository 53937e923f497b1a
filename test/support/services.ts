/** The services behind the API on real parts: Postgres, the dev server (without a worker) and the storage stand-in. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AcceptDependencies, AcceptSettings } from '../../src/api/services/accept-document.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import { startStorageStandIn } from '../../src/dev/storage-stand-in/storage-stand-in.ts';
import { createLogger, type Logger } from '../../src/observability/logger.ts';
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts';
import { ensureBucket } from '../../src/storage/ensure-bucket.ts';
import { SupabaseObjectStore } from '../../src/storage/supabase-object-store.ts';
import { createRuns, type Runs } from '../../src/temporal/runs.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { connectToTemporal, uniqueTaskQueue } from './temporal.ts';

export interface TestServices extends AcceptDependencies {
  readonly database: TestDatabase;
  readonly temporal: TestWorkflowEnvironment;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly objectStore: SupabaseObjectStore;
  readonly storageFaults: FaultClient;
  close(): Promise<void>;
}

/** On a task queue of their own. */
export function runsOn(client: Client): Runs {
  return createRuns(client, {
    taskQueue: uniqueTaskQueue(),
    startDelayMs: 120_000,
    publicUrl: undefined,
    eraseSecondSweepMs: 600_000,
    policy: {
      looksAfterMs: [],
      storagePatienceMs: 60_000,
      parserPatienceMs: 60_000,
      embedderPatienceMs: 60_000,
      parseDeadlineMs: 60_000,
      pollFirstMs: 1_000,
      pollMaxMs: 5_000,
    },
  });
}

export async function startServices(settings: Partial<AcceptSettings> = {}): Promise<TestServices> {
  const folder = await mkdtemp(join(tmpdir(), 'intake-storage-'));
  const database = await createTestDatabase();
  const temporal = await connectToTemporal();
  const serviceKey = `service-${randomUUID()}`;
  const storage = await startStorageStandIn({ dataFolder: folder, serviceKey });
  const bucket = { url: storage.url, serviceRoleKey: serviceKey, bucket: 'files' };
  await ensureBucket(bucket, { maxFileBytes: 52_428_800 });
  return {
    database,
    temporal,
    pool: database.pool,
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    objectStore: new SupabaseObjectStore(bucket),
    storageFaults: createFaultClient(storage.url),
    runs: runsOn(temporal.client),
    settings: {
      maxFileBytes: 52_428_800,
      maxUnfinishedUploads: 20,
      maxReservedBytes: 524_288_000,
      uploadLifetimeMs: 7_200_000,
      uploadUrlLifetimeMs: 7_200_000,
      ...settings,
    },
    close: async () => {
      await storage.close();
      await temporal.teardown();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}
