/**
 * Two live tries of one activity in one run: a worker that fell silent and lives on beside its successor. Both carry
 * the same attempt and run, so the fence lets both write.
 */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AttemptRef } from '../../activities/contract.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { submitParse } from '../../activities/submit-parse.ts';
import { buildActivityDependencies } from '../../src/dependencies.ts';
import type { FaultClient } from '../../src/dev/fault-client.ts';
import { attemptOf, makeDocument, type TestDocument } from '../support/documents.ts';
import { type Road, startRoad } from '../support/road.ts';
import { untilTrue } from '../support/until.ts';

let road: Road;
let dependencies: ReturnType<typeof buildActivityDependencies>;
beforeAll(async () => {
  road = await startRoad(); // no worker: the tests are
  dependencies = buildActivityDependencies(road.shared, new AbortController().signal);
});
afterEach(async () => {
  await Promise.all(
    Object.values(road.faults).flatMap((faults) => [faults.clear(), faults.clearLedger()]),
  );
});
afterAll(async () => {
  await dependencies.close();
  await road.close();
});

type Activity<Result> = (dependencies: ActivityDependencies, ref: AttemptRef) => Promise<Result>;

/** The `number`th try of an activity in the document's run. */
function tryOf<Result>(
  activity: Activity<Result>,
  { documentId, attemptId, runId }: TestDocument,
  number: number,
): Promise<Result> {
  const workflowExecution = { workflowId: `ingest/${documentId}`, runId };
  const environment = new MockActivityEnvironment({ attempt: number, workflowExecution });
  return environment.run(() => activity(dependencies, { documentId, attemptId }));
}

/** For as long as the other try needs to do its work. */
const SILENCE = { kind: 'delay', ms: 3_000 } as const;

async function countOf(faults: FaultClient, operation: string): Promise<number> {
  return (await faults.ledger()).counts[operation] ?? 0;
}

/** The first try falls silent in its first `operation`; the second runs to its end before it goes on. */
async function overtaken<Result>(
  activity: Activity<Result>,
  document: TestDocument,
  { faults, operation }: { readonly faults: FaultClient; readonly operation: string },
) {
  await faults.add({ operation, effect: SILENCE });
  const first = tryOf(activity, document, 1).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await untilTrue('the first try is silent', async () => (await countOf(faults, operation)) === 1);
  const second = await tryOf(activity, document, 2);
  return { second, first: await first };
}

describe('submitParse', () => {
  test('the one that was overtaken while it uploaded does not pay, and the job stays alive', async () => {
    const content = randomUUID();
    const document = await makeDocument(road.database.pool, { content, status: 'uploaded' });
    const { version } = await attemptOf(road.database.pool, document);
    await road.shared.objectStore.put(version.originalKey ?? '', Buffer.from(content), {
      contentType: 'text/plain',
    });
    const { parser: faults } = road.faults;
    const { first } = await overtaken(submitParse, document, { faults, operation: 'file.create' });
    expect(first).toMatchObject({ error: { type: 'WORKER_LOST', nonRetryable: false } });
    expect(await countOf(faults, 'parse.create')).toBe(1);
    const { rows } = await road.database.pool.query(
      'select state, tries from intake.parse_jobs where document_id = $1',
      [document.documentId],
    );
    expect(rows).toEqual([{ state: 'submitted', tries: 2 }]);
    expect(await attemptOf(road.database.pool, document)).toMatchObject({
      status: 'parse_queued',
    });
  });
});
