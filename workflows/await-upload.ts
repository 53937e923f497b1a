/**
 * The wait for the bytes: look, then wait for a confirm or the next look, until the upload expires.
 * Four absent looks never fail a document whose upload has not expired.
 */
import { ActivityFailure, condition } from '@temporalio/workflow';
import type { AttemptRef } from '../activities/contract.ts';
import type { ErrorCode } from '../src/domain/errors.ts';
import type { IngestPolicy } from '../src/domain/run.ts';
import { failureCode, failWith, isFinal, orOutOfPatience } from './failure.ts';
import type { Tools } from './tools.ts';

export async function awaitUpload(
  ref: AttemptRef,
  policy: IngestPolicy,
  tools: Tools,
): Promise<void> {
  const { inbox, story, deadlines } = tools;
  const expiresAtMs = () => deadlines.of('upload', policy.uploadExpiresAtMs);
  const startedAtMs = Date.now();
  let lastError: ErrorCode | undefined;
  for (let round = 1; ; round += 1) {
    const seen = inbox.confirms();
    const lookedAtMs = Date.now();
    story.tell('verify', { round, lastError, deadlineAtMs: expiresAtMs() });
    if (await look(ref, policy, tools)) return;
    lastError = 'STORAGE_OBJECT_ABSENT';
    // A look may take long: bytes that came behind its back, and in time, get one of their own.
    if (lookedAtMs >= expiresAtMs()) throw failWith('UPLOAD_EXPIRED');
    const nowMs = Date.now();
    const nextAtMs = nextLook({ ...policy, uploadExpiresAtMs: expiresAtMs() }, startedAtMs, nowMs);
    story.tell('awaitUpload', { round, lastError, deadlineAtMs: expiresAtMs(), nextAtMs });
    await condition(() => inbox.confirms() > seen, Math.max(nextAtMs - nowMs, 0), {
      summary: 'until the owner confirms, or the next look',
    });
  }
}

/** The first planned look that still lies ahead; the last one is when the upload expires. */
function nextLook(policy: IngestPolicy, startedAtMs: number, nowMs: number): number {
  const planned = policy.looksAfterMs
    .map((afterMs) => startedAtMs + afterMs)
    .find((atMs) => atMs > nowMs);
  return Math.min(planned ?? policy.uploadExpiresAtMs, policy.uploadExpiresAtMs);
}

/** True when the bytes are there and verified, false when they are absent; everything else throws. */
async function look(ref: AttemptRef, policy: IngestPolicy, tools: Tools): Promise<boolean> {
  let lastError: ErrorCode | undefined;
  try {
    await tools.activities.look(ref);
    return true;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || error.cause?.name === 'CancelledFailure')
      throw error;
    lastError = failureCode(error);
    if (lastError === 'STORAGE_OBJECT_ABSENT') return false;
    if (isFinal(error)) throw error;
  }
  const ms = policy.storagePatienceMs;
  tools.story.tell('storageOut', { lastError, deadlineAtMs: Date.now() + ms });
  return lookPatiently(ref, ms, tools);
}

async function lookPatiently(
  ref: AttemptRef,
  ms: number,
  { activities, deadlines }: Tools,
): Promise<boolean> {
  try {
    await orOutOfPatience(
      { ms, endsAtMs: (plannedAtMs) => deadlines.of('storage', plannedAtMs) },
      (patienceMs) => activities.lookPatiently(ref, patienceMs),
      (code) =>
        code === 'STORAGE_OBJECT_ABSENT' || code === 'ATTEMPT_ABSENT'
          ? code
          : 'STORAGE_OUT_OF_PATIENCE',
    );
    return true;
  } catch (error) {
    if (failureCode(error) === 'STORAGE_OBJECT_ABSENT') return false;
    throw error;
  }
}
