/** Erasure, workflow id `erase/<documentId>`: sweep, wait until no upload URL can be used any more, sweep again, prove zero. */
import { sleep } from '@temporalio/workflow';
import type { EraseInput } from '../src/domain/run.ts';
import { eraseDocument as sweep } from './activity-options.ts';

export async function eraseDocument({ documentId, secondSweepAfterMs }: EraseInput): Promise<void> {
  const { urlsExpireAtMs } = await sweep({ documentId, final: false });
  // At least once the whole time: the run that was just cancelled may still be ending.
  const waitMs = Math.max(urlsExpireAtMs - Date.now(), 0) + secondSweepAfterMs;
  await sleep(waitMs, { summary: 'until no upload URL can be used any more' });
  await sweep({ documentId, final: true });
}
