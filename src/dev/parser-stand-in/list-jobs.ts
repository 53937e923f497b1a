/** One page of jobs, newest first, by the vendor's filters. */
import { z } from 'zod';
import { type JobRecord, jobStatus } from './records.ts';

const DEFAULT_PAGE_SIZE = 50;

export const listQuery = z.object({
  created_at_on_or_after: z.iso.datetime({ offset: true }).optional(),
  created_at_on_or_before: z.iso.datetime({ offset: true }).optional(),
  status: jobStatus.optional(),
  job_ids: z.union([z.string(), z.array(z.string())]).optional(),
  page_size: z.coerce.number().int().min(1).max(200).default(DEFAULT_PAGE_SIZE),
  page_token: z.string().optional(),
});

export function listJobs(jobs: readonly JobRecord[], query: z.output<typeof listQuery>) {
  const after = Date.parse(query.created_at_on_or_after ?? '') || 0;
  const before = Date.parse(query.created_at_on_or_before ?? '') || Number.POSITIVE_INFINITY;
  const ids = query.job_ids === undefined ? undefined : new Set([query.job_ids].flat());
  const matching = jobs
    .filter((job) => Date.parse(job.created_at) >= after && Date.parse(job.created_at) <= before)
    .filter((job) => query.status === undefined || job.status === query.status)
    .filter((job) => ids === undefined || ids.has(job.id))
    .toSorted((a, b) => placeOf(b).localeCompare(placeOf(a)));
  const rest = matching.filter((job) => !query.page_token || placeOf(job) < query.page_token);
  const page = rest.slice(0, query.page_size);
  const last = page.at(-1);
  return {
    jobs: page,
    nextPageToken: last !== undefined && rest.length > page.length ? placeOf(last) : null,
  };
}

function placeOf(job: JobRecord): string {
  return `${job.created_at} ${job.id}`;
}
