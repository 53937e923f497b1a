/**
 * submitParse: the parse job is written down, then submitted. Idempotency key: our parse job id, which travels with
 * the vendor's job; a retry looks for the job of an earlier try and adopts it instead of paying again.
 */
import type { Readable } from 'node:stream';
import { type Attempt, advance } from '../src/db/attempts.ts';
import {
  adoptableParseJob,
  adoptParseJob,
  endParseJob,
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
      const found =
        adopted || job.seenBefore ? await findEarlier(dependencies, job, scope) : undefined;
      const submitted = found ?? (await submit(dependencies, { attempt, job, scope }));
      await recordSubmitted(dependencies.pool, job.id, submitted);
    }
    await scope.hold((transaction, held) => advance(transaction, held, ['parse_queued']));
    return { parseJobId: job.id, adopted };
  });
}

interface Choice {
  readonly attempt: Attempt;
  /** `seenBefore`: an earlier try wrote it down, and may have been answered by the vendor without us hearing it. */
  readonly job: ParseJob & { readonly seenBefore: boolean };
  readonly adopted: boolean;
}

/** The job this attempt already has, one worth adopting from an earlier attempt, or a new one. */
async function chooseJob(
  transaction: Queryable,
  attempt: Attempt,
  optionsFingerprint: string,
): Promise<Choice> {
  const own = await parseJobOfAttempt(transaction, attempt.id);
  if (own && isAlive(own)) return { attempt, job: { ...own, seenBefore: true }, adopted: false };
  const earlier = own
    ? undefined
    : await adoptableParseJob(transaction, attempt.version.id, optionsFingerprint);
  if (earlier) {
    await adoptParseJob(transaction, attempt.id, earlier.id);
    return { attempt, job: { ...earlier, seenBefore: true }, adopted: true };
  }
  const { id: attemptId, version, documentId, ownerId } = attempt;
  const made = await openParseJob(transaction, {
    documentId,
    ownerId,
    versionId: version.id,
    attemptId,
    optionsFingerprint,
  });
  return { attempt, job: { ...made, seenBefore: false }, adopted: false };
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
  }: { readonly attempt: Attempt; readonly job: Choice['job']; readonly scope: AttemptScope },
): Promise<SubmittedJob> {
  const { version } = attempt;
  try {
    return await dependencies.parser.submit({
      parseJobId: job.id,
      mediaType: version.mediaType,
      sizeBytes: version.sizeBytes,
      content: () => openOriginal(dependencies, attempt, scope),
      callbackUrl: dependencies.callbackUrl(job.id),
      firstTry: !job.seenBefore,
      signal: scope.signal,
    });
  } catch (error) {
    if (error instanceof IntakeError && !error.retryable) {
      await endParseJob(dependencies.pool, job.id, { state: 'failed' });
    }
    throw error;
  }
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
