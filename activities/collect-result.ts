/**
 * collect: the result is fetched by job id with our own credentials, checked page by page, stored as Markdown,
 * read back, hashed and chunked. Idempotent by the version's evidence: what is stored is not fetched again.
 */
import { type Attempt, advance } from '../src/db/attempts.ts';
import { chunkCount } from '../src/db/generations.ts';
import { reserveMarkdownKey } from '../src/db/objects.ts';
import { endParseJob, findParseJob, type ParseJob } from '../src/db/parse-jobs.ts';
import { recordParsed } from '../src/db/versions.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { validatePages } from '../src/parsing/validate-pages.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { readText } from '../src/storage/read-text.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import { chunkVersion, generationOf } from './chunk-version.ts';
import type { CollectRef, CollectResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forgetParseJob } from './forget-parse-job.ts';
import { type Markdown, sha256Of, storedMarkdown } from './stored-markdown.ts';

export async function collectResult(
  dependencies: ActivityDependencies,
  ref: CollectRef,
): Promise<CollectResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, job } = await scope.hold(async (transaction, held) => ({
      attempt: held,
      job: ref.parseJobId && (await findParseJob(transaction, ref.parseJobId)),
    }));
    const done = await alreadyStored(dependencies, attempt);
    if (done) return done;

    const markdown =
      (await storedBefore(dependencies, attempt, scope)) ??
      (await fetchOrFind(dependencies, { job, scope }));
    if (!markdown) return { state: 'pending' };
    const [{ chunks }] = await Promise.all([
      chunkVersion(dependencies, scope, markdown),
      job && forgetAtVendor(dependencies, job, scope),
    ]);
    return { state: 'stored', pages: markdown.pageOffsets.length, chunks };
  });
}

/** Markdown that is proven is chunked at once. */
const untilChunking = ['parsed', 'parse_validated', 'chunking'] as const;

/** What an earlier try of this activity finished and could not report. */
async function alreadyStored(
  dependencies: ActivityDependencies,
  { documentId, status, version }: Attempt,
): Promise<CollectResult | undefined> {
  const ahead = ['parse_queued', 'parsed', 'parse_validated', 'chunking'];
  if (ahead.includes(status) || !version.markdownSha256) return undefined;
  const generationId = generationOf(dependencies, documentId, version.markdownSha256);
  const chunks = await chunkCount(dependencies.pool, generationId);
  return { state: 'stored', pages: version.pageCount ?? 0, chunks };
}

async function storedBefore(
  dependencies: ActivityDependencies,
  attempt: Attempt,
  scope: AttemptScope,
): Promise<Markdown | undefined> {
  const markdown = await storedMarkdown(dependencies, attempt, scope);
  if (markdown) await scope.hold((transaction, held) => advance(transaction, held, untilChunking));
  return markdown;
}

/** A starved worker may have stored the result and deleted the job meanwhile: that is no loss, and nothing is paid again. */
async function fetchOrFind(
  dependencies: ActivityDependencies,
  { job, scope }: { readonly job: ParseJob | undefined; readonly scope: AttemptScope },
): Promise<Markdown | undefined> {
  try {
    return await fetchMarkdown(dependencies, { job, scope });
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'LLAMAPARSE_RESULT_EXPIRED') throw error;
    const now = await scope.hold(async (_transaction, held) => held);
    const stored = await storedBefore(dependencies, now, scope);
    if (!stored) throw error;
    return stored;
  }
}

/** Fetches, validates and stores; `undefined` while the job is not done, whatever a webhook said. */
async function fetchMarkdown(
  dependencies: ActivityDependencies,
  { job, scope }: { readonly job: ParseJob | undefined; readonly scope: AttemptScope },
): Promise<Markdown | undefined> {
  const { objectStore, parser, limits } = dependencies;
  if (!job) throw new IntakeError('LLAMAPARSE_RESULT_EXPIRED', { detail: 'nothing was stored' });
  const providerJobId = await completedJob(dependencies, job, scope);
  if (providerJobId === undefined) return undefined;
  const { pages, credits } = await orExpired(dependencies, job, () =>
    parser.result(providerJobId, { maxBytes: limits.maxMarkdownBytes, signal: scope.signal }),
  );
  const { markdown: text, pageOffsets, pageCount, failedPages } = validatePages(pages, limits);
  const sha256 = sha256Of(text);
  const key = await scope.hold((transaction, held) =>
    reserveMarkdownKey(transaction, held, sha256),
  );
  const bytes = await putAndReadBack(objectStore, { key, text, signal: scope.signal });
  await scope.hold(async (transaction, held) => {
    await Promise.all([
      recordParsed(transaction, held.version.id, {
        key,
        sha256,
        bytes,
        pageCount,
        pageOffsets: pageOffsets.map((page) => page.startOffset),
        failedPages,
        parsedBy: job.id,
      }),
      endParseJob(transaction, job.id, { state: 'completed', credits }),
      advance(transaction, held, untilChunking),
    ]);
  });
  return { text, sha256, pageOffsets };
}

/** What is not read back as it was written was not written. Answers the size in bytes. */
async function putAndReadBack(
  objectStore: ObjectStore,
  {
    key,
    text,
    signal,
  }: { readonly key: string; readonly text: string; readonly signal: AbortSignal },
): Promise<number> {
  const bytes = Buffer.from(text);
  await objectStore.put(key, bytes, { contentType: 'text/markdown; charset=utf-8', signal });
  if ((await readText(objectStore, key, { maxBytes: bytes.length, signal })) !== text) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'the Markdown reads back differently' });
  }
  return bytes.length;
}

/** The vendor's id of the job when it is completed, `undefined` while it runs. A job that failed is thrown as its code. */
async function completedJob(
  dependencies: ActivityDependencies,
  job: ParseJob,
  { signal }: AttemptScope,
): Promise<string | undefined> {
  const { pool, parser } = dependencies;
  const { providerJobId } = job;
  if (providerJobId === undefined) return undefined;
  const answer = await orExpired(dependencies, job, () => parser.state(providerJobId, signal));
  switch (answer.state) {
    case 'pending':
      return undefined;
    case 'completed':
      return providerJobId;
    case 'cancelled':
      await endParseJob(pool, job.id, { state: 'cancelled' });
      throw new IntakeError('PARSE_CANCELLED');
    case 'failed':
      await endParseJob(pool, job.id, { state: 'failed' });
      throw new IntakeError(answer.code, { detail: answer.detail });
  }
}

/** A job or result that the vendor no longer knows is written down as such, so that nobody adopts it. */
async function orExpired<Answer>(
  { pool }: ActivityDependencies,
  job: ParseJob,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof IntakeError && error.code === 'LLAMAPARSE_RESULT_EXPIRED') {
      await endParseJob(pool, job.id, { state: 'expired' });
    }
    throw error;
  }
}

/** Nothing stays at the vendor once the result is ours. Failing is no failure of the document; erasure asks again. */
async function forgetAtVendor(
  dependencies: ActivityDependencies,
  job: ParseJob,
  { signal }: AttemptScope,
): Promise<void> {
  try {
    await forgetParseJob(dependencies, job, signal);
  } catch (error) {
    dependencies.logger.warn(
      { err: error, parseJobId: job.id },
      'parse job not yet forgotten at the vendor',
    );
  }
}
