/** How Temporal names this worker. It tells which database it works on: `intake doctor` holds that against the API's. */
import { hostname } from 'node:os';
import { databaseFingerprint } from '../db/fingerprint.ts';
import type { Pool } from '../db/pool.ts';

/** A worker starts while its database is away. */
export async function workerIdentity(pool: Pool): Promise<string> {
  const database = await databaseFingerprint(pool).catch(() => 'unknown');
  return `${process.pid}@${hostname()} database=${database}`;
}
