/**
 * The wait for the bytes: look, then wait for a confirm or the next look, until the upload expires.
 * Four absent looks never fail a document whose upload has not expired.
 */
import { ActivityFailure, condition } from '@temporalio/workflow';
import type { AttemptRef } from '../activities/contract.ts';
import type { IngestPolicy } from '../src/domain/run.ts';
import type { Activities } from './activity-options.ts';
import { failureCode, failWith, isFinal, orOutOfPatience } from './failure.ts';
import type { Inbox } from './messages.ts';
import { tell } from './story.ts';

export async function awaitUpload(
  ref: AttemptRef,
  policy: IngestPolicy,
  { activities, inbox }: { readonly activities: Activities; readonly inbox: Inbox },
): Promise<void> {
  const startedAtMs = Date.now();
  for (;;) {
    const seen = inbox.confirms();
    const lookedAtMs = Date.now();
    tell('verify', { deadlineAtMs: policy.uploadExpiresAtMs });
    if (await look(ref, activities)) return;
    // A look may take long: bytes that came behind its back, and in time, get one of their own.
    if (lookedAtMs >= policy.uploadExpiresAtMs) throw failWith('UPLOAD_EXPIRED');
    const nowMs = Date.now();
    const nextLookAtMs = nextLook(policy, startedAtMs, nowMs);
    tell('awaitUpload', { deadlineAtMs: policy.uploadExpiresAtMs, nextLookAtMs });
    await condition(() => inbox.confirms() > seen, Math.max(nextLookAtMs - nowMs, 0));
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
async function look(ref: AttemptRef, activities: Activities): Promise<boolean> {
  try {
    await activities.look(ref);
    return true;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || error.cause?.name === 'CancelledFailure')
      throw error;
    if (failureCode(error) === 'STORAGE_OBJECT_ABSENT') return false;
    if (isFinal(error)) throw error;
  }
  return lookPatiently(ref, activities);
}

async function lookPatiently(ref: AttemptRef, activities: Activities): Promise<boolean> {
  tell('storageOut', {});
  try {
    await orOutOfPatience(activities.lookPatiently(ref), (code) =>
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
