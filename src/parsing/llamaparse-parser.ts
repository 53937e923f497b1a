/**
 * Parser over LlamaParse v2. Nothing here or in the SDK retries: Temporal does, and a repeated create may
 * be a second paid job. So a `submit` whose answer was lost must not be repeated blindly: the caller asks
 * `find` first.
 */
import { IntakeError } from '../domain/errors.ts';
import { type ParseJobId, parseId } from '../domain/ids.ts';
import { mediaTypes } from '../domain/media-types.ts';
import { classifyJobFailure, refusesMarkdown } from './classify-parse-error.ts';
import type { JobAnswer, PagesAnswer } from './llamaparse-answers.ts';
import { type ApiOptions, createLlamaParseApi, type LlamaParseApi } from './llamaparse-api.ts';
import {
  fingerprint,
  type JobSettings,
  jobOptions,
  webhookConfiguration,
} from './llamaparse-job-options.ts';
import type { ParseRequest, ParseResult, Parser, ParseState } from './parser.ts';
import { withUploadFile } from './spool-upload.ts';

export interface LlamaParseOptions extends ApiOptions, JobSettings {
  /** The vendor signs webhooks with it. */
  readonly signingSecret: string;
  /** Marks our jobs among those of others in the same account; the first is given, all of them are believed. */
  readonly installations: readonly [string, ...string[]];
}

/** The vendor's clock and ours may differ. */
const CLOCK_SLACK_MS = 5 * 60_000;

export function createLlamaParseParser(options: LlamaParseOptions): Parser {
  const api = createLlamaParseApi(options);
  const settings = jobOptions(options);

  /** A job that has ended by itself is no error. */
  async function cancel(jobId: string, signal: AbortSignal): Promise<void> {
    if ((await api.cancelJob(jobId, signal)) !== 'refused') return;
    const { state } = toParseState(await api.getJob(jobId, signal));
    if (state === 'pending') throw new IntakeError('LLAMAPARSE_SERVER_ERROR', stillRunning);
  }

  /** Jobs under our id, in the vendor's order. */
  async function* jobsUnder(parseJobId: ParseJobId, since: Date, signal: AbortSignal) {
    const from = new Date(since.getTime() - CLOCK_SLACK_MS);
    for await (const { id, created_at, user_metadata } of api.jobsSince(from, signal)) {
      if (user_metadata?.['parseJobId'] !== parseJobId) continue;
      yield { id, createdAtMs: Date.parse(created_at ?? '') || 0 };
    }
  }

  async function forgetJob(jobId: string, signal: AbortSignal): Promise<void> {
    if ((await api.deleteJob(jobId, signal)) !== 'refused') return;
    await cancel(jobId, signal);
    if ((await api.deleteJob(jobId, signal)) === 'refused') {
      throw new IntakeError('LLAMAPARSE_SERVER_ERROR', stillRunning);
    }
  }

  return {
    optionsFingerprint: fingerprint(settings),

    async submit(request) {
      const { parseJobId, callbackUrl, signal } = request;
      const [earlier] = request.firstTry ? [] : await api.findFiles(parseJobId, signal);
      const file = earlier ?? (await uploadContent(api, request));
      await request.beforeCreate();
      const job = await api.createJob(
        {
          ...settings,
          file_id: file.id,
          user_metadata: { parseJobId, installation: options.installations[0] },
          ...(callbackUrl === undefined
            ? {}
            : webhookConfiguration(callbackUrl, options.signingSecret)),
        },
        signal,
      );
      return { providerJobId: job.id, providerFileId: file.id };
    },

    async find(parseJobId, since, signal) {
      let newest: { readonly id: string; readonly createdAtMs: number } | undefined;
      for await (const job of jobsUnder(parseJobId, since, signal)) {
        if (newest === undefined || job.createdAtMs > newest.createdAtMs) newest = job;
      }
      if (newest === undefined) return undefined;
      const [file] = await api.findFiles(parseJobId, signal);
      return { providerJobId: newest.id, providerFileId: file?.id };
    },

    async *ownJobs(since, signal) {
      for await (const { id, created_at, user_metadata } of api.jobsSince(since, signal)) {
        const parseJobId = parseId<ParseJobId>(`${user_metadata?.['parseJobId']}`);
        const isOurs = options.installations.some(
          (mark) => mark === user_metadata?.['installation'],
        );
        if (parseJobId === undefined || !isOurs) continue;
        yield { parseJobId, providerJobId: id, createdAt: new Date(created_at ?? Date.now()) };
      }
    },

    async state(jobId, signal) {
      return toParseState(await api.getJob(jobId, signal));
    },

    async result(jobId, limits) {
      const answer = await api.getPages(jobId, 'markdown', limits).catch((error: unknown) => {
        if (refusesMarkdown(error)) return api.getPages(jobId, 'text', limits);
        throw error;
      });
      return toParseResult(answer, limits.maxBytes);
    },

    async forget({ providerJobId, providerFileId }, signal) {
      await forgetJob(providerJobId, signal);
      if (providerFileId !== undefined) await deleteUpload(api, providerFileId, signal);
    },

    async forgetAll(parseJobId, since, signal) {
      // All of them first: what is deleted while it is listed would shift the pages.
      for (const { id } of await Array.fromAsync(jobsUnder(parseJobId, since, signal))) {
        await forgetJob(id, signal);
      }
      for (const { id } of await api.findFiles(parseJobId, signal)) {
        await deleteUpload(api, id, signal);
      }
    },
  };
}

const stillRunning = { detail: 'the job has not ended yet' };

/** Absent is deleted; refused is not: whoever asked must ask again. */
async function deleteUpload(
  api: LlamaParseApi,
  fileId: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await api.deleteFile(fileId, signal)) === 'refused') {
    throw new IntakeError('LLAMAPARSE_SERVER_ERROR', { detail: 'the upload was not deleted' });
  }
}

async function uploadContent(api: LlamaParseApi, request: ParseRequest): Promise<{ id: string }> {
  const { parseJobId, mediaType, sizeBytes, signal } = request;
  const name = `${parseJobId}.${mediaTypes[mediaType].extension}`;
  const content = await request.content();
  return withUploadFile({ name, mediaType, sizeBytes, content, signal }, (file) =>
    api.uploadFile(file, parseJobId, signal),
  );
}

function toParseState(job: JobAnswer): ParseState {
  switch (job.status) {
    case 'PENDING':
    case 'RUNNING':
      return { state: 'pending' };
    case 'COMPLETED':
      return { state: 'completed' };
    case 'CANCELLED':
      return { state: 'cancelled' };
    case 'FAILED':
      return { state: 'failed', ...classifyJobFailure(job.error_message) };
  }
}

function toParseResult({ job, pages }: PagesAnswer, maxBytes: number): ParseResult {
  const bytes = pages.reduce(
    (sum, page) => sum + (page.success ? Buffer.byteLength(page.markdown) : 0),
    0,
  );
  if (bytes > maxBytes) {
    throw new IntakeError('DOCUMENT_TOO_LARGE', { detail: `${bytes} bytes of Markdown` });
  }
  return { pages, credits: job.usage?.credits ?? undefined };
}
