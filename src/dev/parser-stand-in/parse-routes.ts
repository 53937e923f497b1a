/** `/api/v2/parse`: `create` answers the job itself, `get` wraps it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { makeJob } from './create-job.ts';
import { createRequest, givesMarkdown, versions } from './create-request.ts';
import { answerJob, answerResult } from './job-answers.ts';
import type { JobRunner } from './job-runner.ts';
import { listJobs, listQuery } from './list-jobs.ts';
import type { RecordStore } from './record-store.ts';
import { hasEnded, type JobRecord, subjectOf } from './records.ts';
import { checked, Refusal } from './refusal.ts';
import { sendCut } from './send-cut.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface ParseRoutesOptions {
  readonly store: RecordStore;
  readonly runner: JobRunner;
  readonly webhooks: WebhookSender;
  readonly projectId: string;
}

/** `early-webhook`: the job ends and its webhook arrives before the create call is answered. */
export const createFaults = ['early-webhook'];
export const getFaults = ['truncate', 'drop-midway', 'expire'];

interface ById {
  Params: { id: string };
}

export async function parseRoutes(
  app: FastifyInstance,
  { store, runner, webhooks, projectId }: ParseRoutesOptions,
): Promise<void> {
  const jobOf = (request: FastifyRequest): JobRecord | undefined =>
    store.jobs.get((request.params as { id: string }).id);
  const found = (id: string): JobRecord => {
    const job = store.jobs.get(id);
    if (job === undefined) throw new Refusal(404, 'Job not found');
    return job;
  };
  const about = (operation: string) => ({
    operation,
    subject: (request: FastifyRequest) => {
      const job = jobOf(request);
      return job === undefined ? undefined : subjectOf(job);
    },
  });

  const subjectIn = ({ body }: FastifyRequest): string | undefined => {
    const { data } = createRequest.safeParse(body);
    if (data === undefined) return undefined;
    const content = store.files.get(data.file_id)?.sha256;
    return [data.user_metadata?.['parseJobId'], content].filter(Boolean).join(' ');
  };

  app.post('/', { config: { operation: 'parse.create', subject: subjectIn } }, async (request) => {
    const job = makeJob(checked(createRequest, request.body), store);
    await store.saveJob(job);
    void webhooks.send(job, 'parse.pending');
    const ended = runner.start(job);
    if (request.fault?.name === 'early-webhook') await ended;
    return answerJob(found(job.id), projectId);
  });

  app.get('/', { config: { operation: 'parse.list' } }, async ({ query }) => {
    const { jobs, nextPageToken } = listJobs([...store.jobs.values()], checked(listQuery, query));
    return {
      items: jobs.map((job) => answerJob(job, projectId)),
      next_page_token: nextPageToken,
    };
  });

  app.get('/versions', { config: { operation: 'parse.versions' } }, async () => ({
    ...versions,
    latest: Object.fromEntries(Object.entries(versions).map(([tier, [latest]]) => [tier, latest])),
  }));

  app.get<ById & { Querystring: { expand?: string | string[] } }>(
    '/:id',
    { config: about('parse.get') },
    async (request, reply) => {
      const job = found(request.params.id);
      const expand = new Set([request.query.expand ?? []].flat());
      if (request.fault?.name === 'expire') await store.saveJob({ ...job, expired: true });
      if (expand.size > 0 && found(job.id).expired) throw new Refusal(404, 'Result has expired');
      if (expand.has('markdown') && !givesMarkdown(job.request)) {
        throw new Refusal(400, 'markdown is not available for FAST tier');
      }
      const wanted = expand.size > 0 && job.status === 'COMPLETED';
      const result = wanted ? await store.readResult(job.id) : undefined;
      const answer = { job: answerJob(job, projectId), ...answerResult(result, expand) };
      return sendCut(reply, answer, request.fault?.name);
    },
  );

  app.post<ById>('/:id/cancel', { config: about('parse.cancel') }, async ({ params }) => {
    const job = found(params.id);
    if (hasEnded(job)) throw new Refusal(409, `Job is already ${job.status}`);
    return answerJob(await runner.cancel(job), projectId);
  });

  app.delete<ById>('/:id', { config: about('parse.delete') }, async ({ params }) => {
    const job = found(params.id);
    if (!hasEnded(job)) throw new Refusal(409, `Job is still ${job.status}`);
    await store.removeJob(job.id);
    return { id: job.id, project_id: projectId };
  });
}
