/** What confirm, the same bytes again, retry and cancel do after each end, by what was proven and paid for until then. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptUpload } from '../../src/api/services/accept-document.ts';
import {
  cancelDocument,
  confirmUpload,
  deleteDocument,
  retryDocument,
} from '../../src/api/services/command-document.ts';
import type { IntakeError } from '../../src/domain/errors.ts';
import type { AttemptId, DocumentId } from '../../src/domain/ids.ts';
import {
  initialStatus,
  isTerminal,
  type StartStage,
  type Status,
  statuses,
} from '../../src/domain/ingestion.ts';
import { sha256, someOwner } from '../support/documents.ts';
import { startServices, type TestServices } from '../support/services.ts';
import { recordEnd, steps } from '../support/worker-steps.ts';

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

type Step = keyof typeof steps;
const line = Object.keys(steps) as Step[];

interface End {
  readonly status: Status;
  /** How many steps the run took before. */
  readonly done: number;
  /** What it failed with; completion and ends by will have none. */
  readonly code: Parameters<typeof recordEnd>[2] | undefined;
  /** Where an upload of the same bytes starts; `undefined` joins what is there. */
  readonly again: StartStage | 'new document' | undefined;
  /** Where a retry starts; `undefined` is refused. */
  readonly retry: StartStage | undefined;
}

const after = (step: Step) => line.indexOf(step) + 1;
const ends: readonly End[] = [
  { status: 'complete', done: 6, code: undefined, again: undefined, retry: undefined },
  { status: 'upload_expired', done: 0, code: 'UPLOAD_EXPIRED', again: 'verify', retry: undefined },
  { status: 'upload_rejected', done: 0, code: 'SIZE_MISMATCH', again: 'verify', retry: undefined },
  {
    status: 'failed_storage',
    done: 0,
    code: 'STORAGE_OUT_OF_PATIENCE',
    again: 'verify',
    retry: 'verify',
  },
  {
    status: 'failed_storage',
    done: after('submit'),
    code: 'STORAGE_OUT_OF_PATIENCE',
    again: 'parse',
    retry: 'parse',
  },
  {
    status: 'failed_parse',
    done: after('verify'),
    code: 'PARSER_OUT_OF_PATIENCE',
    again: 'parse',
    retry: 'parse',
  },
  {
    status: 'failed_parse',
    done: after('submit'),
    code: 'PARSE_TIMEOUT',
    again: 'parse',
    retry: 'parse',
  },
  {
    status: 'failed_chunking',
    done: after('collect'),
    code: 'DOCUMENT_CHUNKING_FAILED',
    again: 'collect',
    retry: 'collect',
  },
  {
    status: 'failed_embedding',
    done: after('chunk'),
    code: 'EMBEDDER_REJECTED',
    again: 'embed',
    retry: 'embed',
  },
  {
    status: 'failed_embedding',
    done: after('embed'),
    code: 'EMBEDDINGS_UNPROVEN',
    again: 'embed',
    retry: 'embed',
  },
  { status: 'cancelled', done: 0, code: undefined, again: 'verify', retry: undefined },
  {
    status: 'cancelled',
    done: after('verify'),
    code: undefined,
    again: 'parse',
    retry: 'parse',
  },
  {
    status: 'cancelled',
    done: after('embed'),
    code: undefined,
    again: 'collect',
    retry: 'collect',
  },
  { status: 'deleted', done: 0, code: undefined, again: 'new document', retry: undefined },
  {
    status: 'deleted',
    done: after('embed'),
    code: undefined,
    again: 'new document',
    retry: undefined,
  },
];

async function attemptsOf(documentId: DocumentId) {
  const { rows } = await services.pool.query<{
    id: AttemptId;
    runId: string;
    status: Status;
    startStage: StartStage;
  }>(
    `select id, run_id as "runId", status, start_stage as "startStage" from intake.attempts where document_id = $1 order by number`,
    [documentId],
  );
  return rows;
}

/** A document that came to this end, with its run closed. */
async function ended({ status, done, code }: End) {
  const caller = { ownerId: someOwner(), correlationId: randomUUID() };
  const content = randomUUID();
  const declaration = {
    name: 'policy.txt',
    mediaType: 'text/plain' as const,
    sizeBytes: content.length,
    sha256: sha256(content),
  };
  const { documentId } = await acceptUpload(services, caller, declaration);
  const [attempt] = await attemptsOf(documentId);
  if (!attempt) throw new Error('no attempt');
  const fence = { documentId, attemptId: attempt.id, runId: attempt.runId };
  for (const step of line.slice(0, done)) await steps[step].take(services.pool, fence);
  if (code) await recordEnd(services.pool, fence, code);
  if (status === 'cancelled') await cancelDocument(services, caller, documentId);
  if (status === 'deleted') await deleteDocument(services, caller, documentId);
  await services.temporal.client.workflow.getHandle(`ingest/${documentId}`).terminate();
  expect(await attemptsOf(documentId)).toMatchObject([{ status }]);
  return { caller, declaration, documentId };
}

/** The status that was answered, or the code of the refusal. */
const outcomeOf = (answer: Promise<{ readonly status: Status }>): Promise<string> =>
  answer.then(
    ({ status }) => status,
    ({ code }: IntakeError) => code,
  );
const cells = ends.map(
  (end) => [`${end.status} after ${line[end.done - 1] ?? 'nothing'}`, end] as const,
);

test('every end is in the table', () => {
  const terminal = statuses.filter((status) => isTerminal(status) && status !== 'duplicate');
  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(terminal));
});

describe.each(cells)('%s', (_name, end) => {
  test('confirm and cancel start nothing, and the row answers', async () => {
    const { caller, documentId } = await ended(end);
    const isGone = end.status === 'deleted';
    expect(await outcomeOf(confirmUpload(services, caller, documentId))).toBe(
      isGone ? 'NOT_FOUND' : end.status,
    );
    const isRepeat = end.status === 'cancelled';
    expect(await outcomeOf(cancelDocument(services, caller, documentId))).toBe(
      isRepeat ? 'cancelled' : isGone ? 'NOT_FOUND' : 'NOT_POSSIBLE_NOW',
    );
    expect(await attemptsOf(documentId)).toMatchObject([{ status: end.status }]);
    const run = services.temporal.client.workflow.getHandle(`ingest/${documentId}`);
    expect((await run.describe()).status.name).toBe('TERMINATED');
  });

  test('the same bytes again start as late as the evidence allows', async () => {
    const { caller, declaration, documentId } = await ended(end);
    const accepted = await acceptUpload(services, caller, declaration);
    const isNew = end.again === 'new document';
    const startStage = isNew ? 'verify' : end.again;
    expect(accepted.documentId === documentId).toBe(!isNew);
    expect(accepted.upload !== undefined, 'a URL only while bytes are missing').toBe(
      startStage === 'verify',
    );
    expect(accepted.created).toBe(startStage !== undefined);
    const attempts = await attemptsOf(accepted.documentId);
    expect(attempts[0]?.status).toBe(isNew ? 'awaiting_upload' : end.status);
    expect(attempts.slice(isNew ? 0 : 1)).toMatchObject(
      startStage ? [{ startStage, status: initialStatus[startStage] }] : [],
    );
  });

  test('a retry starts at the stage that failed, or is refused', async () => {
    const { caller, documentId } = await ended(end);
    const refusal = end.status === 'deleted' ? 'NOT_FOUND' : 'NOT_POSSIBLE_NOW';
    const status = end.retry && initialStatus[end.retry];
    expect(await outcomeOf(retryDocument(services, caller, documentId))).toBe(status ?? refusal);
    expect(await attemptsOf(documentId)).toMatchObject([
      { status: end.status },
      ...(end.retry ? [{ startStage: end.retry, status }] : []),
    ]);
  });
});
