/**
 * Two live tries of one activity in one run: a worker that fell silent and lives on beside its successor. Both carry
 * the same attempt and run, so the fence lets both write.
 */
import { randomUUID } from 'node:crypto';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { withAttempt } from '../../activities/attempt-scope.ts';
import type { AttemptRef } from '../../activities/contract.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { submitParse } from '../../activities/submit-parse.ts';
import { verifyUpload } from '../../activities/verify-upload.ts';
import { advance, endAttempt, holdAttempt } from '../../src/db/attempts.ts';
import { issueUploadKey } from '../../src/db/objects.ts';
import { inTransaction } from '../../src/db/pool.ts';
import { recordVerified } from '../../src/db/versions.ts';
import { buildActivityDependencies } from '../../src/dependencies.ts';
import type { FaultClient } from '../../src/dev/fault-client.ts';
import { IntakeError } from '../../src/domain/errors.ts';
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

describe('verify', () => {
  /** A document whose bytes lie under a key of their own. */
  async function uploaded(): Promise<TestDocument> {
    const content = randomUUID();
    const document = await makeDocument(road.database.pool, { content });
    await uploadOnceMore(document, content);
    return document;
  }

  async function uploadOnceMore(document: TestDocument, content: string): Promise<void> {
    const urlExpiresAt = new Date(Date.now() + 3_600_000);
    const key = await issueUploadKey(road.database.pool, { ...document, urlExpiresAt });
    await road.shared.objectStore.put(key, Buffer.from(content), { contentType: 'text/plain' });
  }

  /** Keys of the document that somebody may still look at. */
  async function keysOf({ documentId }: TestDocument, kind: string): Promise<readonly string[]> {
    const { rows } = await road.database.pool.query<{ key: string }>(
      'select key from intake.objects where document_id = $1 and kind = $2 and removed_at is null',
      [documentId, kind],
    );
    return rows.map(({ key }) => key);
  }

  const copiesOf = ({ ownerId, documentId }: TestDocument) =>
    road.shared.objectStore.list(`originals/${ownerId}/${documentId}/`);

  /** The sweep removes the objects of all keys that are done with. */
  const untilCopiesAre = (document: TestDocument, keys: readonly string[]) =>
    untilTrue('the rest is swept', async () => {
      return JSON.stringify(await copiesOf(document)) === JSON.stringify(keys);
    });

  test.each(['object.copy', 'object.read'])(
    'the one that was overtaken in its %s finds the work done, whatever it saw itself',
    async (operation) => {
      const document = await uploaded();
      const { storage: faults } = road.faults;
      const { first, second } = await overtaken(verifyUpload, document, { faults, operation });
      expect(first).toEqual({ value: second });
      const { status, refusedCode, version } = await attemptOf(road.database.pool, document);
      expect({ status, refusedCode }).toEqual({ status: 'uploaded', refusedCode: undefined });
      await untilCopiesAre(document, [version.originalKey ?? '']);
    },
  );

  test('the one that was overtaken before its last write leaves the evidence alone, and nothing of its own', async () => {
    const document = await uploaded();
    const { pool } = road.database;
    const key = `originals/${document.ownerId}/${document.documentId}/${randomUUID()}`;
    await road.faults.storage.add({ operation: 'object.read', effect: { kind: 'delay', ms: 500 } });
    const first = tryOf(verifyUpload, document, 1);
    await untilTrue(
      'it reads',
      async () => (await countOf(road.faults.storage, 'object.read')) > 0,
    );
    await inTransaction(pool, async (transaction) => {
      const held = await holdAttempt(transaction, document);
      await untilTrue('it waits for the row', async () => {
        const { rows } = await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      await recordVerified(transaction, held.version, key);
      await advance(transaction, held, ['uploaded']);
    });
    await first;
    expect((await attemptOf(pool, document)).version.originalKey).toBe(key);
    expect(await keysOf(document, 'original')).toEqual([]);
    await untilCopiesAre(document, []);
  });

  test('an upload URL that was issued while verify ran is done with as well', async () => {
    const document = await uploaded();
    const { storage: faults } = road.faults;
    await faults.add({ operation: 'object.read', effect: { kind: 'delay', ms: 500 } });
    const look = tryOf(verifyUpload, document, 1);
    await untilTrue('it reads', async () => (await countOf(faults, 'object.read')) > 0);
    await uploadOnceMore(document, 'something else');
    await look;
    expect(await keysOf(document, 'upload')).toEqual([]);
  });

  test('looks that find nothing, or come when all is done, leave no key behind', async () => {
    const content = randomUUID();
    const document = await makeDocument(road.database.pool, { content });
    await expect(tryOf(verifyUpload, document, 1)).rejects.toMatchObject({
      type: 'STORAGE_OBJECT_ABSENT',
    });
    expect(await keysOf(document, 'original')).toEqual([]);
    await uploadOnceMore(document, content);
    await tryOf(verifyUpload, document, 2);
    await tryOf(verifyUpload, document, 3);
    expect(await keysOf(document, 'original')).toHaveLength(1);
  });

  test('looks that meet the open breaker, or are refused, leave no key behind', async () => {
    const document = await uploaded();
    const own = buildActivityDependencies(road.shared, new AbortController().signal);
    const look = (number: number) => tryOf((_, ref) => verifyUpload(own, ref), document, number);
    const { storage } = road.faults;
    const refused = { kind: 'answer', status: 400, body: '{"statusCode":"403"}' } as const;
    await storage.add({ operation: 'object.copy', effect: refused });
    await expect(look(1)).rejects.toMatchObject({ type: 'STORAGE_FORBIDDEN' });
    expect(await keysOf(document, 'original')).toEqual([]);
    const down = { kind: 'answer', status: 503, body: '<html>' } as const;
    await storage.add({ operation: 'object.copy', times: 'always', effect: down });
    for (const number of [2, 3, 4, 5]) {
      await expect(look(number)).rejects.toMatchObject({ type: 'STORAGE_UNAVAILABLE' });
    }
    const reached = await keysOf(document, 'original');
    for (const number of [6, 7, 8]) {
      await expect(look(number)).rejects.toMatchObject({
        type: 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN',
      });
    }
    expect(await keysOf(document, 'original')).toHaveLength(reached.length);
    expect(reached, 'what may still be made is swept one day').toHaveLength(4);
    await own.close();
  });

  /** A look that failed when its copy had been made. */
  async function failedLook(): Promise<TestDocument> {
    const document = await uploaded();
    const { storage } = road.faults;
    await storage.add({ operation: 'object.copy', effect: { kind: 'reset-after' } });
    await expect(tryOf(verifyUpload, document, 1)).rejects.toMatchObject({
      type: 'STORAGE_UNAVAILABLE',
    });
    expect(await copiesOf(document)).toHaveLength(1);
    return document;
  }

  test('the copy of a look that failed is swept when the next look verifies', async () => {
    const document = await failedLook();
    await tryOf(verifyUpload, document, 2);
    const { version } = await attemptOf(road.database.pool, document);
    await untilCopiesAre(document, [version.originalKey ?? '']);
  });

  test('the copy of a look that failed is swept when the attempt ends; the upload stays for the next', async () => {
    const document = await failedLook();
    const ending = { status: 'failed_storage', code: 'STORAGE_OUT_OF_PATIENCE' } as const;
    await endAttempt(road.database.pool, document.attemptId, { ...ending, failedStage: 'verify' });
    await untilCopiesAre(document, []);
    expect(await keysOf(document, 'upload')).toHaveLength(1);
  });
});

describe('the pause before the next try', () => {
  const VENDOR_PAUSE_MS = 120_000;

  /** The eleventh try of submitParse, refused by the parser, after `since` of waiting for `code`. */
  async function pauseAfterTrouble(code: string, since: string): Promise<number> {
    const document = await makeDocument(road.database.pool, { status: 'uploaded' });
    await road.database.pool.query(
      `update intake.attempts set run_id = $2, waiting_code = $3, waiting_since = now() - $4::interval where id = $1`,
      [document.attemptId, document.runId, code, since],
    );
    const refused: Activity<never> = (given, ref) =>
      withAttempt(given, ref, () => {
        throw new IntakeError('LLAMAPARSE_SERVER_ERROR');
      });
    const workflowExecution = {
      workflowId: `ingest/${document.documentId}`,
      runId: document.runId,
    };
    const retryPolicy = { initialInterval: 100, maximumInterval: VENDOR_PAUSE_MS };
    const environment = new MockActivityEnvironment({
      attempt: 11,
      workflowExecution,
      retryPolicy,
    });
    const { documentId, attemptId } = document;
    const failure: unknown = await environment
      .run(() => refused(dependencies, { documentId, attemptId }))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'LLAMAPARSE_SERVER_ERROR', nonRetryable: false });
    return Number((failure as ApplicationFailure).nextRetryDelay);
  }

  test('of a parser that fails once is short, however long storage was out of order before', async () => {
    expect(await pauseAfterTrouble('STORAGE_UNAVAILABLE', '1 hour')).toBeLessThan(1_000);
  });

  test('grows with the trouble, by whichever of its codes, up to the longest one', async () => {
    const pauseMs = await pauseAfterTrouble('LLAMAPARSE_FORBIDDEN', '1 minute');
    expect(pauseMs).toBeGreaterThanOrEqual(30_000);
    expect(pauseMs).toBeLessThan(VENDOR_PAUSE_MS);
    expect(await pauseAfterTrouble('LLAMAPARSE_SERVER_ERROR', '1 day')).toBeGreaterThanOrEqual(
      VENDOR_PAUSE_MS,
    );
  });
});

describe('a try that is cancelled while it hangs', () => {
  /** What Temporal is told of a submit that was cancelled for `reason`. */
  async function endOf(reason: 'WORKER_SHUTDOWN' | 'CANCELLED'): Promise<unknown> {
    const content = randomUUID();
    const document = await makeDocument(road.database.pool, { content, status: 'uploaded' });
    const { documentId, attemptId, runId } = document;
    const { version } = await attemptOf(road.database.pool, document);
    await road.shared.objectStore.put(version.originalKey ?? '', Buffer.from(content), {
      contentType: 'text/plain',
    });
    await road.faults.parser.add({ operation: 'file.create', effect: { kind: 'hang' } });
    const workflowExecution = { workflowId: `ingest/${documentId}`, runId };
    const environment = new MockActivityEnvironment({ attempt: 1, workflowExecution });
    const end = environment
      .run(() => submitParse(dependencies, { documentId, attemptId }))
      .catch((error: unknown) => error);
    await untilTrue('it hangs', async () => (await countOf(road.faults.parser, 'file.create')) > 0);
    environment.cancel(reason);
    return await end;
  }

  test('by a worker that stops: it is handed over, and counts as no failure', async () => {
    expect(await endOf('WORKER_SHUTDOWN')).toMatchObject({
      type: 'WORKER_STOPPING',
      nonRetryable: false,
      nextRetryDelay: 100,
      category: 'BENIGN',
    });
  });

  test('by anybody else: it is cancelled', async () => {
    expect(await endOf('CANCELLED')).toMatchObject({ name: 'CancelledFailure' });
  });
});
