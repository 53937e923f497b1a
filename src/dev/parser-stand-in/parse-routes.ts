/** `/api/v2/parse`: jobs. `create` answers the job itself, `get` wraps it. */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CreateRequest, createRequest, givesMarkdown, versions } from './create-request.ts';
import type { JobRunner } from './job-runner.ts';
import { answerJob, answerResult } from './job-answers.ts';
import type { RecordStore } from './record-store.ts';
import { hasEnded, type JobRecord, subjectOf } from './records.ts';
import { checked, Refusal } from './refusal.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface ParseRoutesOptions {
  readonly store: RecordStore;
  readonly runner: JobRunner;
  readonly webhooks: WebhookSender;
}
