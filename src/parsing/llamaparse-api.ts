/** The routes of LlamaParse v2 that Intake uses: one SDK call each, with its deadline and the shape of its answer. */
import LlamaCloud, { APIError } from '@llamaindex/llama-cloud';
import { IntakeError } from '../domain/errors.ts';
import type { WithinBudget } from '../provider-budget/provider-budget.ts';
import { callLlamaParse, json, type LlamaParseCall, nothing } from './call-llamaparse.ts';
import {
  createdFile,
  createdJob,
  fileList,
  jobAnswer,
  jobList,
  markdownAnswer,
  textAnswer,
} from './llamaparse-answers.ts';
import type { CreateParams } from './llamaparse-job-options.ts';

export interface ApiOptions {
  readonly apiKey: string;
  readonly baseUrl: string;
  /** Longest wait for one whole answer, 60 s unless told; uploads and results get more by their size. */
  readonly timeoutMs?: number;
  readonly withinBudget: WithinBudget;
}

/** `refused`: not possible in the job's present state. Which of 400, 409 and 422 says so is not documented. */
export type CommandOutcome = 'done' | 'absent' | 'refused';

export type LlamaParseApi = ReturnType<typeof createLlamaParseApi>;

const TIMEOUT_MS = 60_000;
/** Slowest transfer that is waited for. */
const BYTES_PER_MS = 250;
/** JSON of text that is escaped throughout. */
const JSON_GROWTH = 3;
const JSON_ENVELOPE_BYTES = 1024 * 1024;
const LIST_PAGE_SIZE = 100;

export function createLlamaParseApi(options: ApiOptions) {
  const client = new LlamaCloud({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    fetchOptions: { redirect: 'error' },
  });
  const { timeoutMs = TIMEOUT_MS, withinBudget } = options;

  const submission = (signal: AbortSignal, send: LlamaParseCall['send'], extraBytes = 0) =>
    ({
      send,
      signal,
      withinBudget,
      about: 'submission',
      timeoutMs: timeoutMs + Math.ceil(extraBytes / BYTES_PER_MS),
    }) as const;
  const ofJob = (signal: AbortSignal, send: LlamaParseCall['send'], extraBytes = 0) =>
    ({ ...submission(signal, send, extraBytes), about: 'job' }) as const;

  return {
    uploadFile(file: File, externalId: string, signal: AbortSignal) {
      const params = { file, purpose: 'parse', external_file_id: externalId };
      return callLlamaParse(
        submission(signal, (sdk) => client.files.create(params, sdk), file.size),
        json(createdFile),
      );
    },

    async findFiles(externalId: string, signal: AbortSignal) {
      const { items } = await callLlamaParse(
        submission(signal, (sdk) => client.files.list({ external_file_id: externalId }, sdk)),
        json(fileList),
      );
      // Compared again: a server that ignored the filter would hand us other people's files.
      return items.filter((file) => file.external_file_id === externalId);
    },

    createJob(params: CreateParams, signal: AbortSignal) {
      return callLlamaParse(
        submission(signal, (sdk) => client.parsing.create(params, sdk)),
        json(createdJob),
      );
    },

    async *jobsSince(since: Date, signal: AbortSignal) {
      const query = { created_at_on_or_after: since.toISOString(), page_size: LIST_PAGE_SIZE };
      let token: string | undefined;
      do {
        const next = token === undefined ? query : { ...query, page_token: token };
        const page = await callLlamaParse(
          submission(signal, (sdk) => client.parsing.list(next, sdk)),
          json(jobList),
        );
        yield* page.items;
        token = page.next_page_token || undefined;
      } while (token !== undefined);
    },

    async getJob(jobId: string, signal: AbortSignal) {
      const { job } = await callLlamaParse(
        ofJob(signal, (sdk) => client.parsing.get(jobId, {}, sdk)),
        json(jobAnswer),
      );
      return job;
    },

    getPages(
      jobId: string,
      as: 'markdown' | 'text',
      limits: { readonly maxBytes: number; readonly signal: AbortSignal },
    ) {
      const query = { expand: [as, 'usage'] };
      return callLlamaParse(
        ofJob(limits.signal, (sdk) => client.parsing.get(jobId, query, sdk), limits.maxBytes),
        json(as === 'markdown' ? markdownAnswer : textAnswer, {
          maxBytes: limits.maxBytes * JSON_GROWTH + JSON_ENVELOPE_BYTES,
          code: 'DOCUMENT_TOO_LARGE',
        }),
      );
    },

    cancelJob: (jobId: string, signal: AbortSignal) =>
      command(ofJob(signal, (sdk) => client.parsing.cancel(jobId, {}, sdk))),

    deleteJob: (jobId: string, signal: AbortSignal) =>
      command(ofJob(signal, (sdk) => client.parsing.delete(jobId, {}, sdk))),

    deleteFile: (fileId: string, signal: AbortSignal) =>
      command(ofJob(signal, (sdk) => client.files.delete(fileId, {}, sdk))),
  };
}

async function command(call: LlamaParseCall): Promise<CommandOutcome> {
  try {
    await callLlamaParse(call, nothing);
    return 'done';
  } catch (error) {
    const cause = error instanceof IntakeError ? error.cause : undefined;
    const status = cause instanceof APIError ? cause.status : undefined;
    if (status === 404) return 'absent';
    if (status === 400 || status === 409 || status === 422) return 'refused';
    throw error;
  }
}
