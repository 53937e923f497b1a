/** The floor: the waits and remote activities of `ingestDocument`, and nothing in them. */
import {
  condition,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AttemptRef, IngestActivities } from '../../../activities/contract.ts';
import type { AttemptId, DocumentId } from '../../../src/domain/ids.ts';
import type { Phase } from '../../../src/domain/ingestion.ts';
import { signalNames } from '../../../src/domain/run.ts';
import { phase } from '../../../workflows/search-attributes.ts';
import type { BareInput } from './contract.ts';

const options = { startToCloseTimeout: '1 minute', heartbeatTimeout: '3 seconds' } as const;

export async function bareDocument({ documentId, dressed }: BareInput): Promise<void> {
  let heard = false;
  setHandler(defineSignal(signalNames.confirmUpload), () => undefined);
  setHandler(defineSignal(signalNames.parseEvent), () => {
    heard = true;
  });
  const stages = proxyActivities<IngestActivities>(
    dressed ? { ...options, summary: 'a stage of the road' } : options,
  );
  const tell = (words: string, reached?: Phase) => {
    if (!dressed) return;
    setCurrentDetails(words);
    if (reached !== undefined) upsertSearchAttributes([phase(reached)]);
  };
  const ref: AttemptRef = {
    documentId: documentId as DocumentId,
    attemptId: documentId as AttemptId,
  };
  tell('Verifying.');
  await stages.verify(ref);
  tell('Submitting.');
  const { parseJobId } = await stages.submitParse(ref);
  tell('Waiting for the parser.', 'parsing');
  await condition(() => heard, '15 seconds');
  tell('Collecting.');
  await stages.collect({ ...ref, parseJobId });
  tell('Embedding.', 'embedding');
  await stages.embed(ref);
  tell('Complete.', 'complete');
}
