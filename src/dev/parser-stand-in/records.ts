/** What the stand-in remembers, one JSON file each. */
import { z } from 'zod';
import { createRequest } from './create-request.ts';

export const fileRecord = z.object({
  id: z.string(),
  name: z.string(),
  external_file_id: z.string().nullable(),
  purpose: z.string(),
  sha256: z.string(),
  created_at: z.string(),
});
export type FileRecord = z.output<typeof fileRecord>;

export const jobStatus = z.enum(['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']);
export type JobStatus = z.output<typeof jobStatus>;

export const jobRecord = z.object({
  id: z.string(),
  status: jobStatus,
  error_message: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  request: createRequest,
  /** The same content read with the same options. */
  cache_key: z.string(),
  /** Of the file; jobs of an older stand-in have none. */
  content_sha256: z.string().default(''),
  credits: z.number().nullable(),
  /** Its result is no longer given out. */
  expired: z.boolean(),
});
export type JobRecord = z.output<typeof jobRecord>;

const ended: ReadonlySet<JobStatus> = new Set(['COMPLETED', 'FAILED', 'CANCELLED']);

export function hasEnded(job: JobRecord): boolean {
  return ended.has(job.status);
}

/** How a fault script or a ledger names a job: by the vendor's id, by ours, and by what is read. */
export function subjectOf(job: JobRecord): string {
  return [job.id, job.request.user_metadata?.['parseJobId'], job.content_sha256]
    .filter(Boolean)
    .join(' ');
}
