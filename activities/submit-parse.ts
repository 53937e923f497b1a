/**
 * submitParse: the parse job is written down, then submitted. Idempotency key: our parse job id, which travels with
 * the vendor's job; a retry looks for the job of an earlier try and adopts it instead of paying again. A try that
 * fell silent may live on beside its successor: right before it pays, each proves that no later one has begun.
 */
import type { Readable } from 'node:stream';
import { type Attempt, advance } from '../src/db/attempts.ts';
import {
  adoptableParseJob,
  adoptParseJob,
  beginTry,
  endParseJob,
  findParseJob,
  isAlive,
  openParseJob,
  type ParseJob,
  parseJobOfAttempt,
  recordSubmitted,
} from '../src/db/parse-jobs.ts';
import type { Queryable } from '../src/db/pool.ts';
import { revokeVerified } from '../src/db/versions.ts';
import { IntakeError } from '../src/domain/errors.ts';
import type { SubmittedJob } from '../src/parsing/parser.ts';
import { type AttemptScope, withAttempt } from './attempt-scope.ts';
import type { AttemptRef, SubmitParseResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function submitParse(
  dependencies: ActivityDependencies,
  ref: AttemptRef,
): Promise<SubmitParseResult> {
  return withAttempt(dependencies, ref, async (scope) => {
    const { attempt, job, adopted } = await scope.hold((transaction, held) =>
      chooseJob(transaction, held, dependencies.parser.optionsFingerprint),
    );
    if (job.state === 'submitting') {
      const found = job.tries > 1 ? await findEarlier(dependencies, job, scope) : undefined;
      const submitted = found ?? (await submit(dependencies, { attempt, job, scope }));
      await recordSubmitted(dependencies.pool, job.id, submitted);
    }
    await scope.hold((transaction, held) => advance(transaction, held, ['parse_queued']));
    return { parseJobId: job.id, adopted };
  });
}

interface Choice {
  readonly attempt: Attempt;
  /** From the second try on, an earlier one may have been answered by the vendor without us hearing it. */
  readonly job: ParseJob;
  readonly adopted: boolean;
}

/** The job this attempt already has, one worth adopting from an earlier attempt, or a new one. */
async function chooseJob(
  transaction: Queryable,
  attempt: Attempt,
  optionsFingerprint: string,
): Promise<Choice> {
  const own = await parseJobOfAttempt(transaction, attempt.id);
  if (own && isAlive(own))
    return { attempt, job: await beginTry(transaction, own), adopted: false };
  const earlier = own
    ? undefined
    : await adoptableParseJob(transaction, attempt.version.id, optionsFingerprint);
  if (earlier) {
    await adoptParseJob(transaction, attempt.id, earlier.id);
    return { attempt, job: await beginTry(transaction, earlier), adopted: true };
  }
  const { id: attemptId, version, documentId, ownerId } = attempt;
  const made = await openParseJob(transaction, {
    documentId,
    ownerId,
    versionId: version.id,
    attemptId,
    optionsFingerprint,
  });
  return { attempt, job: made, adopted: false };
}

async function findEarlier(
  { parser }: ActivityDependencies,
  job: ParseJob,
  { signal }: AttemptScope,
): Promise<SubmittedJob | undefined> {
  return await parser.find(job.id, job.createdAt, signal);
}

/** The paid call. A refusal for good ends the job, so that no later attempt adopts it. */
async function submit(
  dependencies: ActivityDependencies,
  {
    attempt,
    job,
    scope,
  }: { readonly attempt: Attempt; readonly job: ParseJob; readonly scope: AttemptScope },
): Promise<SubmittedJob> {
  const { version } = attempt;
  try {
    return await dependencies.parser.submit({
      parseJobId: job.id,
      mediaType: version.mediaType,
      sizeBytes: version.sizeBytes,
      content: () => openOriginal(dependencies, attempt, scope),
      callbackUrl: dependencies.callbackUrl(job.id),
      firstTry: job.tries === 1,
      beforeCreate: () => holdLatest(scope, job),
      signal: scope.signal,
    });
  } catch (error) {
    if (error instanceof IntakeError && !error.retryable) {
      await holdLatest(scope, job, (transaction) =>
        endParseJob(transaction, job.id, { state: 'failed' }),
      );
    }
    throw error;
  }
}

/** Proves in one transaction that this try is the latest: a later one goes on with the job, and this one's answer is not heard. */
function holdLatest(
  scope: AttemptScope,
  job: ParseJob,
  work: (transaction: Queryable) => Promise<void> = async () => undefined,
): Promise<void> {
  return scope.hold(async (transaction) => {
    const now = await findParseJob(transaction, job.id);
    if (now?.tries !== job.tries)
      throw new IntakeError('WORKER_LOST', { detail: 'a later try goes on with the parse job' });
    await work(transaction);
  });
}

/** Absent bytes are a loss here, not a wait: they were verified. */
async function openOriginal(
  { objectStore, limits }: ActivityDependencies,
  { version }: Attempt,
  scope: AttemptScope,
): Promise<Readable> {
  try {
    if (!version.originalKey)
      throw new IntakeError('STORAGE_OBJECT_ABSENT', { detail: 'no verified copy' });
    return await objectStore.read(version.originalKey, {
      maxBytes: limits.maxFileBytes,
      signal: scope.signal,
    });
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'STORAGE_OBJECT_ABSENT') throw error;
    await scope.hold((transaction) => revokeVerified(transaction, version.id));
    throw new IntakeError('STORAGE_ACCESS_ERROR', {
      detail: 'the verified bytes are gone',
      cause: error,
    });
  }
}
