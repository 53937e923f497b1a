/**
 * collect: the result is fetched by job id with our own credentials, checked page by page, stored as Markdown,
 * read back, hashed and chunked. Idempotent by the version's evidence: what is stored is not fetched again.
 */
import { createHash } from 'node:crypto';
import { type Attempt, advance } from '../src/db/attempts.ts';
import { chunkCount } from '../src/db/generations.ts';
import { reserveMarkdownKey } from '../src/db/objects.ts';
import { endParseJob, findParseJob, markForgotten, type ParseJob } from '../src/db/parse-jobs.ts';
import { recordParsed } from '../src/db/versions.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { validatePages } from '../src/parsing/validate-pages.ts';
import { readText } from '../src/storage/read-text.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import { chunkVersion, generationOf, type Markdown } from './chunk-version.ts';
import type { CollectResult, ParseJobRef } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function collectResult(
  dependencies: ActivityDependencies,
  ref: ParseJobRef,
): Promise<CollectResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, job } = await scope.hold(async (transaction, held) => ({
      attempt: held,
      job: await findParseJob(transaction, ref.parseJobId),
    }));
    const done = await alreadyStored(dependencies, attempt);
    if (done) return done;
    if (!job?.providerJobId)
      throw new IntakeError('ATTEMPT_ABSENT', { detail: 'the parse job has no row' });

    const markdown =
      (await storedMarkdown(dependencies, attempt, scope)) ??
      (await fetchMarkdown(dependencies, { attempt, job, scope }));
    if (!markdown) return { state: 'pending' };
    const [{ chunks }] = await Promise.all([
      chunkVersion(dependencies, scope, markdown),
      forgetAtVendor(dependencies, job, scope),
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

/** The Markdown of an earlier try or attempt: nothing is asked of the vendor again. */
async function storedMarkdown(
  { objectStore, limits }: ActivityDependencies,
  { version }: Attempt,
  scope: AttemptScope,
): Promise<Markdown | undefined> {
  if (!version.markdownKey || !version.markdownSha256) return undefined;
  const text = await readText(objectStore, version.markdownKey, {
    maxBytes: limits.maxMarkdownBytes,
    signal: scope.signal,
  });
  if (sha256(text) !== version.markdownSha256) {
    throw new IntakeError('STORAGE_UNAVAILABLE', {
      detail: 'the stored Markdown reads back differently',
    });
  }
  await scope.hold((transaction, held) => advance(transaction, held, untilChunking));
  const pageOffsets = version.pageOffsets.map((startOffset, index) => ({
    pageNumber: index + 1,
    startOffset,
  }));
  return { text, sha256: version.markdownSha256, pageOffsets };
}

/** Fetches, validates and stores; `undefined` while the job is not done, whatever a webhook said. */
async function fetchMarkdown(
  dependencies: ActivityDependencies,
  {
    attempt,
    job,
    scope,
  }: { readonly attempt: Attempt; readonly job: ParseJob; readonly scope: AttemptScope },
): Promise<Markdown | undefined> {
  const { pool, objectStore, parser, limits } = dependencies;
  const providerJobId = await completedJob(dependencies, job, scope);
  if (providerJobId === undefined) return undefined;
  const { pages, credits } = await orExpired(dependencies, job, () =>
    parser.result(providerJobId, { maxBytes: limits.maxMarkdownBytes, signal: scope.signal }),
  );
  const { markdown: text, pageOffsets, pageCount, failedPages } = validatePages(pages, limits);
  const hash = sha256(text);
  const key = await reserveMarkdownKey(pool, attempt, hash);
  await objectStore.put(key, Buffer.from(text), {
    contentType: 'text/markdown; charset=utf-8',
    signal: scope.signal,
  });
  const bytes = Buffer.byteLength(text);
  if (
    sha256(await readText(objectStore, key, { maxBytes: bytes, signal: scope.signal })) !== hash
  ) {
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'the Markdown reads back differently' });
  }
  await scope.hold(async (transaction, held) => {
    await Promise.all([
      recordParsed(transaction, held.version.id, {
        key,
        sha256: hash,
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
  return { text, sha256: hash, pageOffsets };
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
  { pool, parser, logger }: ActivityDependencies,
  job: ParseJob,
  { signal }: AttemptScope,
): Promise<void> {
  const { providerJobId, providerFileId } = job;
  if (!providerJobId) return;
  try {
    await parser.forget({ providerJobId, providerFileId }, signal);
    await markForgotten(pool, job.id);
  } catch (error) {
    logger.warn({ err: error, parseJobId: job.id }, 'parse job not yet forgotten at the vendor');
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
