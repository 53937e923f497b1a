/** What must not pass unseen: the same workflow type with its stages in another order. */
import { proxyActivities } from '@temporalio/workflow';
import type { IngestActivities } from '../../activities/contract.ts';
import type { IngestInput } from '../../src/domain/run.ts';

const { embed } = proxyActivities<IngestActivities>({ startToCloseTimeout: '1 minute' });

export async function ingestDocument({ documentId, attemptId }: IngestInput): Promise<void> {
  await embed({ documentId, attemptId });
}
