/** The servers that the object store's contract is held against: the stand-in, and a real Supabase when its address is given. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import { startStorageStandIn } from '../../src/dev/storage-stand-in/storage-stand-in.ts';
import { ensureBucket } from '../../src/storage/ensure-bucket.ts';

export interface StorageTarget {
  readonly url: string;
  readonly serviceRoleKey: string;
  /** Private, made for this run. */
  readonly bucket: string;
  close(): Promise<void>;
}

export interface StandInTarget extends StorageTarget {
  readonly anonKey: string;
  readonly dataFolder: string;
  readonly faults: FaultClient;
}

export const MAX_FILE_BYTES = 30_000_000;

export async function startStandInTarget(): Promise<StandInTarget> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'storage-stand-in-'));
  const serviceKey = `service-${randomUUID()}`;
  const anonKey = `anon-${randomUUID()}`;
  const standIn = await startStorageStandIn({ dataFolder, serviceKey, anonKey });
  const target = { url: standIn.url, serviceRoleKey: serviceKey, bucket: 'files' };
  await ensureBucket(target, { maxFileBytes: MAX_FILE_BYTES });
  return {
    ...target,
    anonKey,
    dataFolder,
    faults: createFaultClient(standIn.url),
    async close() {
      await standIn.close();
      await rm(dataFolder, { recursive: true });
    },
  };
}

async function startSupabaseTarget(url: string, serviceRoleKey: string): Promise<StorageTarget> {
  const target = { url, serviceRoleKey, bucket: `intake-contract-${randomUUID()}` };
  await ensureBucket(target, { maxFileBytes: MAX_FILE_BYTES });
  return {
    ...target,
    async close() {
      const { storage } = createClient(url, serviceRoleKey);
      await storage.emptyBucket(target.bucket);
      await storage.deleteBucket(target.bucket);
    },
  };
}

const realUrl = process.env['INTAKE_TEST_SUPABASE_URL'];
const realKey = process.env['INTAKE_TEST_SUPABASE_SERVICE_ROLE_KEY'];

export const storageTargets: { name: string; start: () => Promise<StorageTarget> }[] = [
  { name: 'stand-in', start: startStandInTarget },
  ...(realUrl === undefined || realKey === undefined
    ? []
    : [{ name: 'Supabase', start: () => startSupabaseTarget(realUrl, realKey) }]),
];
