/** Takes jobs from PENDING to their end and tells the webhook. What a restart interrupted is taken up again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { type MediaType, mediaTypes } from '../../domain/media-types.ts';
import type { FaultEffect } from '../fault-rules.ts';
import type { Conversion } from './conversion.ts';
import { earlierEqual } from './create-job.ts';
import { creditsPerPage } from './create-request.ts';
import type { DocumentReader } from './document-reader.ts';
import type { ParseOutcome, ParseSettings } from './parse-outcome.ts';
import type { RecordStore } from './record-store.ts';
import { type FileRecord, hasEnded, type JobRecord, subjectOf } from './records.ts';
import { failPages, toldEnd } from './run-faults.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface RunnerOptions {
  readonly app: FastifyInstance;
  readonly store: RecordStore;
  readonly reader: DocumentReader;
  readonly webhooks: WebhookSender;
  readonly maxPages: number;
  readonly maxMarkdownBytes: number;
  readonly ocrDataFolder: string | undefined;
}

export interface JobRunner {
  /** Resolves when the job has ended and its webhook was taken or given up. */
  start(job: JobRecord): Promise<void>;
  cancel(job: JobRecord): Promise<JobRecord>;
  resume(): void;
  /** Leaves what is under way to the next start. */
  close(): Promise<void>;
}

const DEFAULT_FAILURE_RATIO = 0.05;

export function createJobRunner(options: RunnerOptions): JobRunner {
  const { app, store, reader, webhooks } = options;
  const underWay = new Map<
    string,
    { readonly stop: AbortController; readonly done: Promise<void> }
  >();

  async function change(job: JobRecord, changes: Partial<JobRecord>): Promise<JobRecord> {
    const changed = { ...job, ...changes, updated_at: new Date().toISOString() };
    await store.saveJob(changed);
    return changed;
  }

  /** The same content read with the same options ends at once and costs nothing, unless the script has plans. */
  async function begin(job: JobRecord, signal: AbortSignal): Promise<void> {
    const effects = app.takeFaults('parse.run', subjectOf(job));
    const earlier = effects.length === 0 ? earlierEqual(job, store) : undefined;
    const operation = earlier === undefined ? 'parse.paid' : 'parse.cached';
    app.recordCall({ operation, subject: subjectOf(job), at: job.created_at, status: 200 });
    if (earlier === undefined) return run(job, effects, signal);
    await store.copyResult(earlier.id, job.id);
    await end(job, { status: 'COMPLETED', credits: 0 });
  }

  async function run(
    job: JobRecord,
    effects: readonly FaultEffect[],
    signal: AbortSignal,
  ): Promise<void> {
    const effect = await playDelays(effects, signal);
    if (signal.aborted) return;
    const running = await change(job, { status: 'RUNNING' });
    void webhooks.send(running, 'parse.running');
    const told = toldEnd(effect);
    if (told?.status === 'CANCELLED') return end(running, { status: 'CANCELLED' });
    if (told !== undefined)
      return end(running, { status: 'FAILED', error_message: told.errorMessage });
    const outcome = await read(running, signal);
    if (outcome === 'cancelled' || signal.aborted) return;
    if (!outcome.ok) return end(running, { status: 'FAILED', error_message: outcome.word });
    await complete(running, failPages(outcome.conversion, effect), effect);
  }

  async function read(job: JobRecord, signal: AbortSignal): Promise<ParseOutcome | 'cancelled'> {
    const file = store.files.get(job.request.file_id);
    if (file === undefined) return { ok: false, word: 'SOURCE_FILE_GONE' };
    const mediaType = mediaTypeOf(file);
    if (mediaType === undefined) return { ok: false, word: 'UNSUPPORTED_FILE_TYPE' };
    return reader.read(store.contentPath(file.id), settingsFor(job, mediaType), signal);
  }

  function settingsFor({ request }: JobRecord, mediaType: MediaType): ParseSettings {
    const conditions = request.processing_control?.job_failure_conditions;
    return {
      mediaType,
      pagesAsked: request.page_ranges?.max_pages ?? options.maxPages,
      maxPages: options.maxPages,
      maxMarkdownBytes: options.maxMarkdownBytes,
      allowedFailureRatio: conditions?.allowed_page_failure_ratio ?? DEFAULT_FAILURE_RATIO,
      ...(options.ocrDataFolder === undefined ? {} : { ocrDataFolder: options.ocrDataFolder }),
    };
  }

  async function complete(job: JobRecord, result: Conversion, effect?: FaultEffect): Promise<void> {
    await store.saveResult(job.id, result);
    const expired = effect?.kind === 'named' && effect.name === 'expire';
    const credits = result.pages.length * creditsPerPage[job.request.tier];
    const partial = result.pages.some((page) => !page.success);
    await end(job, { status: 'COMPLETED', credits, expired }, partial);
  }

  async function end(job: JobRecord, changes: Partial<JobRecord>, partial = false): Promise<void> {
    const known = store.jobs.get(job.id);
    if (known === undefined || hasEnded(known)) return;
    await webhooks.send(...eventFor(await change(job, changes), partial));
  }

  function launch(job: JobRecord, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const done = work(stop.signal)
      .catch(async () => {
        if (stop.signal.aborted) return;
        await end(job, { status: 'FAILED', error_message: 'INTERNAL_ERROR' });
      })
      .finally(() => underWay.delete(job.id));
    underWay.set(job.id, { stop, done });
    return done;
  }

  return {
    start: (job) => launch(job, (signal) => begin(job, signal)),
    async cancel(job) {
      const cancelled = await change(job, { status: 'CANCELLED' });
      underWay.get(job.id)?.stop.abort();
      void webhooks.send(cancelled, 'parse.cancelled');
      return cancelled;
    },
    resume() {
      for (const job of store.jobs.values()) {
        if (!hasEnded(job)) void launch(job, (signal) => run(job, [], signal));
      }
    },
    async close() {
      for (const { stop } of underWay.values()) stop.abort();
      await Promise.allSettled([...underWay.values()].map(({ done }) => done));
    },
  };
}

/** Waits as told, for ever with `hang`; answers the effect that is left to carry out. */
async function playDelays(
  effects: readonly FaultEffect[],
  signal: AbortSignal,
): Promise<FaultEffect | undefined> {
  let left: FaultEffect | undefined;
  for (const effect of effects) {
    if (effect.kind === 'delay') await sleep(effect.ms, undefined, { signal });
    else if (effect.kind === 'hang') await sleep(2 ** 31 - 1, undefined, { signal });
    else left = effect;
  }
  return left;
}

function eventFor(job: JobRecord, partial: boolean): [JobRecord, string] {
  if (job.status === 'FAILED') return [job, 'parse.error'];
  if (job.status === 'CANCELLED') return [job, 'parse.cancelled'];
  return [job, partial ? 'parse.partial_success' : 'parse.success'];
}

/** The vendor goes by the name's ending; what the bytes are is found out when they are read. */
function mediaTypeOf({ name }: FileRecord): MediaType | undefined {
  const ending = name.split('.').at(-1)?.toLowerCase();
  return (Object.keys(mediaTypes) as MediaType[]).find(
    (type) => mediaTypes[type].extension === ending,
  );
}
