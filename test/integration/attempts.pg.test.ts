/** The fence and the status row: who may write, and that progress never goes back. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  advance,
  endAttempt,
  type Fence,
  holdAttempt,
  noteWaiting,
  takeOverRun,
  troubledForMs,
} from '../../src/db/attempts.ts';
import { buryDocument } from '../../src/db/documents.ts';
import { inTransaction } from '../../src/db/pool.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import {
  canMove,
  endedBy,
  isTerminal,
  type RunningStatus,
  type Status,
  statuses,
} from '../../src/domain/ingestion.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { attemptOf, eventsOf, makeDocument, statusOf, supersede } from '../support/documents.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const hold = (fence: Fence) =>
  inTransaction(database.pool, (transaction) => holdAttempt(transaction, fence));
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the fence', () => {
  test('the first run claims, another is superseded, and takes over only by a take-over', async () => {
    const document = await makeDocument(database.pool);
    const rival = { ...document, runId: randomUUID() };
    await expect(hold(document)).resolves.toMatchObject({ runId: document.runId });
    await expect(hold(rival)).rejects.toEqual(code('ATTEMPT_SUPERSEDED'));
    await takeOverRun(database.pool, rival);
    await expect(hold(rival)).resolves.toMatchObject({ runId: rival.runId });
    await expect(hold(document)).rejects.toEqual(code('ATTEMPT_SUPERSEDED'));
  });

  test('a newer attempt refuses the older one, its take-over too', async () => {
    const document = await makeDocument(database.pool);
    const newer = await supersede(database.pool, document);
    await expect(hold(document)).rejects.toEqual(code('ATTEMPT_SUPERSEDED'));
    await takeOverRun(database.pool, { ...document, runId: randomUUID() });
    await expect(hold(document)).rejects.toEqual(code('ATTEMPT_SUPERSEDED'));
    await expect(hold(newer)).resolves.toMatchObject({ id: newer.attemptId });
  });

  test('a tombstone beats every late write', async () => {
    const document = await makeDocument(database.pool, { status: 'embedding_in_progress' });
    await buryDocument(database.pool, document.documentId);
    await expect(hold(document)).rejects.toEqual(code('DOCUMENT_DELETED'));
  });

  test('absent is told apart from deleted and superseded', async () => {
    const document = await makeDocument(database.pool);
    const unknown = randomUUID() as typeof document.documentId;
    await expect(hold({ ...document, documentId: unknown })).rejects.toEqual(
      code('ATTEMPT_ABSENT'),
    );
    await expect(
      hold({ ...document, attemptId: randomUUID() as typeof document.attemptId }),
    ).rejects.toEqual(code('ATTEMPT_ABSENT'));
  });

  test.each(['cancelled', 'failed_parse'] as const)(
    'terminal is final: %s refuses its own run',
    async (status) => {
      const document = await makeDocument(database.pool, { status: 'parse_queued' });
      await endAttempt(database.pool, document.attemptId, {
        status,
        code: 'CANCELLED',
        failedStage: undefined,
      });
      await expect(hold(document)).rejects.toEqual(
        code(status === 'cancelled' ? 'CANCELLED' : 'ATTEMPT_SUPERSEDED'),
      );
      await expect(
        endAttempt(database.pool, document.attemptId, {
          status: 'failed_storage',
          code: 'CANCELLED',
          failedStage: undefined,
        }),
      ).rejects.toThrow(/illegal status move/);
    },
  );

  test('two writers meet on the row: the second waits for the first', async () => {
    const document = await makeDocument(database.pool, { status: 'uploaded' });
    const order: string[] = [];
    const move = (name: string, path: readonly Status[]) =>
      inTransaction(database.pool, async (transaction) => {
        const attempt = await holdAttempt(transaction, document);
        order.push(`${name} in`);
        await advance(transaction, attempt, path);
        order.push(`${name} out`);
      });
    await Promise.all([move('a', ['parse_queued']), move('b', ['parse_queued', 'parsed'])]);
    expect(order[1]?.[0]).toBe(order[0]?.[0]);
    expect(await statusOf(database.pool, document)).toBe('parsed');
  });
});

describe('the status row', () => {
  test('every status on the main line is written once and in order, however often its writer repeats', async () => {
    const document = await makeDocument(database.pool);
    const mainLine = statuses.slice(1, statuses.indexOf('complete') + 1);
    const walk = (path: readonly Status[]) =>
      inTransaction(database.pool, async (transaction) =>
        advance(transaction, await holdAttempt(transaction, document), path),
      );
    for (const status of mainLine) {
      await walk([status]);
      await walk([status]);
    }
    await walk(mainLine);
    expect(await eventsOf(database.pool, document.documentId)).toEqual([
      'awaiting_upload',
      ...mainLine,
    ]);
  });

  test('the database refuses what the table does not allow, whatever the application says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...statuses),
        fc.constantFrom(...statuses),
        async (from, to) => {
          fc.pre(from !== to && statuses.indexOf(from) <= statuses.indexOf('complete'));
          const document = await makeDocument(database.pool, { status: from });
          const moved = database.pool.query(
            'update intake.attempts set status = $2 where id = $1',
            [document.attemptId, to],
          );
          const outcome = await moved.then(
            () => true,
            () => false,
          );
          expect(outcome).toBe(canMove(from, to));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('every failure has a legal end from every running status', () => {
    for (const from of statuses.filter((status): status is RunningStatus => !isTerminal(status))) {
      for (const failure of [
        'CANCELLED',
        'DOCUMENT_DELETED',
        'STORAGE_OUT_OF_PATIENCE',
        'INTERNAL_ERROR',
        'PARSE_TIMEOUT',
      ] as const) {
        expect(canMove(from, endedBy(failure, from)), `${failure} at ${from}`).toBe(true);
      }
    }
  });

  test('what an attempt waits for is in the row, once in the timeline, and gone with the next move', async () => {
    const document = await makeDocument(database.pool);
    const waiting = {
      code: 'STORAGE_FORBIDDEN',
      detail: 'seen',
      nextTryAt: undefined,
      deadlineAt: undefined,
    } as const;
    await noteWaiting(database.pool, document, waiting);
    await noteWaiting(database.pool, document, waiting);
    await noteWaiting(
      database.pool,
      { ...document, runId: randomUUID() },
      { ...waiting, code: 'STORAGE_UNAVAILABLE' },
    );
    // What will end it is no wait.
    await noteWaiting(database.pool, document, { ...waiting, code: 'CHECKSUM_MISMATCH' });
    expect(await eventsOf(database.pool, document.documentId)).toEqual([
      'awaiting_upload',
      'STORAGE_FORBIDDEN',
    ]);
    await inTransaction(database.pool, async (transaction) =>
      advance(transaction, await holdAttempt(transaction, document), ['uploaded']),
    );
    const { rows } = await database.pool.query(
      'select waiting_code from intake.attempts where id = $1',
      [document.attemptId],
    );
    expect(rows).toEqual([{ waiting_code: null }]);
    expect((await attemptOf(database.pool, document)).status).toBe('uploaded');
  });

  test('one trouble lasts through all of its codes, and another one begins anew', async () => {
    const document = await makeDocument(database.pool);
    const note = (reason: ErrorCode) =>
      noteWaiting(database.pool, document, {
        code: reason,
        detail: undefined,
        nextTryAt: undefined,
        deadlineAt: undefined,
      });
    await note('STORAGE_FORBIDDEN');
    await database.pool.query(
      `update intake.attempts set waiting_since = now() - interval '1 hour' where id = $1`,
      [document.attemptId],
    );
    await note('FILE_ACCESS_CIRCUIT_BREAKER_OPEN');
    const lasted = await troubledForMs(database.pool, document, 'STORAGE_UNAVAILABLE');
    expect(lasted).toBeGreaterThan(3_500_000);
    expect(await troubledForMs(database.pool, document, 'EMBEDDER_UNAVAILABLE')).toBe(0);
    await note('EMBEDDER_UNAVAILABLE');
    expect(await troubledForMs(database.pool, document, 'STORAGE_UNAVAILABLE')).toBe(0);
  });
});
