/** A job and its result as the vendor shows them. */
import type { Conversion } from './conversion.ts';
import type { JobRecord } from './records.ts';

export function answerJob(job: JobRecord, projectId: string) {
  const { id, status, error_message, created_at, updated_at, request, credits } = job;
  return {
    id,
    project_id: projectId,
    status,
    error_message,
    name: null,
    tier: request.tier,
    usage: credits === null ? null : { credits },
    user_metadata: request.user_metadata ?? null,
    created_at,
    updated_at,
  };
}

/** The fields that `expand` asks for; anything else of the vendor's is null. */
export function answerResult(result: Conversion | undefined, expand: ReadonlySet<string>) {
  if (result === undefined) return {};
  const { pages, provenance } = result;
  return {
    markdown: expand.has('markdown') ? { pages } : null,
    text: expand.has('text')
      ? {
          pages: pages.map((page) => ({
            page_number: page.page_number,
            text: page.success ? page.markdown : '',
          })),
        }
      : null,
    metadata: expand.has('metadata')
      ? { pages: pages.map(({ page_number }) => ({ page_number })), document: null }
      : null,
    job_metadata: expand.has('job_metadata') ? provenance : null,
  };
}
