/** From a create call's body to a job: new, or finished from the result of an equal one. */
import { createHash, randomUUID } from 'node:crypto';
import type { CreateRequest } from './create-request.ts';
import type { RecordStore } from './record-store.ts';
import type { JobRecord } from './records.ts';
import { Refusal } from './refusal.ts';

const CACHE_LIFETIME_MS = 48 * 60 * 60 * 1000;

export function makeJob(request: CreateRequest, store: RecordStore): JobRecord {
  const file = store.files.get(request.file_id);
  if (file === undefined) throw new Refusal(404, 'File not found');
  const now = new Date().toISOString();
  return {
    id: `pjb-${randomUUID()}`,
    status: 'PENDING',
    error_message: null,
    created_at: now,
    updated_at: now,
    request,
    cache_key: cacheKey(request, file.sha256),
    content_sha256: file.sha256,
    credits: null,
    expired: false,
  };
}

/** An equal job of the last 48 h whose result is still there. */
export function earlierEqual(job: JobRecord, store: RecordStore): JobRecord | undefined {
  if (job.request.disable_cache) return undefined;
  const since = new Date(Date.now() - CACHE_LIFETIME_MS).toISOString();
  return [...store.jobs.values()].find(
    (other) =>
      other.cache_key === job.cache_key &&
      other.status === 'COMPLETED' &&
      !other.expired &&
      other.created_at >= since,
  );
}

function cacheKey(request: CreateRequest, contentSha256: string): string {
  const { file_id: _, user_metadata: __, webhook_configurations: ___, ...options } = request;
  return createHash('sha256')
    .update(JSON.stringify([contentSha256, options]))
    .digest('hex');
}
