/** Reconciliation: what rows, runs, objects and parse jobs do not agree on is found, and healed once. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lookAtAttempts } from '../../activities/reconciliation/attempts.ts';
import type { Scene } from '../../activities/reconciliation/finding.ts';
import { type Finding, reconcilePage } from '../../activities/reconciliation/reconcile.ts';
import { inTransaction } from '../../src/db/pool.ts';
import { renewRun } from '../../src/db/reconciliation.ts';
import { buildReconciliation } from '../../src/dependencies.ts';
import {
  type AttemptId,
  type DocumentId,
  eraseWorkflowId,
  ingestWorkflowId,
  type VersionId,
} from '../../src/domain/ids.ts';
import { allPasses } from '../../src/domain/reconciliation.ts';
import { installationMark, keysOf } from '../../src/webhooks/callback-token.ts';
import { supersede } from '../support/documents.ts';
import { eventually } from '../support/eventually.ts';
import { declare, type Person, put, type Road, reach, startRoad, upload } from '../support/road.ts';

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad();
  me = await road.person();
  await road.startWorker();
});
afterEach(async () => {
  await Promise.all(Object.values(road.faults).map((faults) => faults.clear()));
});
afterAll(() => road.close());

const inTwoDays = () => new Date(Date.now() + 2 * 24 * 3_600_000);

/** All passes, when every grace is over unless told. */
async function reconcile(
  options: Partial<Pick<Scene, 'afterRestore' | 'now'>> & { readonly dryRun?: boolean } = {},
): Promise<readonly Omit<Finding, 'since'>[]> {
  const { now = inTwoDays(), afterRestore = false, dryRun = false } = options;
  const { signal } = new AbortController();
  const scene = { ...buildReconciliation(road.shared), signal, now, afterRestore };
  const findings: Omit<Finding, 'since'>[] = [];
  const onFinding = ({ since: _, ...finding }: Finding) => findings.push(finding);
  for (const pass of allPasses) {
    let cursor: string | undefined;
    do cursor = await reconcilePage(scene, pass, { cursor, dryRun, onFinding });
    while (cursor !== undefined);
  }
  return findings;
}

/** Found and told; left alone within its grace; found and healed; gone. */
async function healedOnce(found: Pick<Finding, 'kind' | 'id'>): Promise<void> {
  expect(await reconcile({ now: new Date() }), 'it may be on its way').toEqual([]);
  expect(await reconcile({ dryRun: true })).toEqual([{ ...found, treatment: 'pending' }]);
  expect(await reconcile()).toEqual([{ ...found, treatment: 'healed' }]);
  expect(await reconcile()).toEqual([]);
}

async function query<Row extends object>(sql: string, ...values: unknown[]): Promise<Row[]> {
  return (await road.database.pool.query<Row & Record<string, unknown>>(sql, values)).rows;
}
const runOf = (documentId: string) =>
  road.temporal.client.workflow.getHandle(ingestWorkflowId(documentId as DocumentId));
const erasureOf = (documentId: string) =>
  road.temporal.client.workflow.getHandle(eraseWorkflowId(documentId as DocumentId));
const stateOf = async (run: ReturnType<typeof runOf>) => (await run.describe()).status.name;

async function inputOf(documentId: string): Promise<unknown> {
  const { events } = await runOf(documentId).fetchHistory();
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  return JSON.parse(Buffer.from(started?.input?.payloads?.[0]?.data ?? []).toString());
}

async function attemptOf(documentId: string) {
  const [attempt] = await query<{
    id: string;
    run_id: string;
    version_id: string;
    status: string;
    error_code: string;
  }>(
    `select id, run_id, version_id, status, error_code from intake.attempts where document_id = $1
     order by number desc limit 1`,
    documentId,
  );
  if (!attempt) throw new Error('no attempt');
  return attempt;
}

const policy = () => ({
  content: `# Policy\n\nThe copayment of plan ${randomUUID()} is 20 dollars.\n`,
});

async function complete(): Promise<DocumentId> {
  const documentId = await upload(me, policy());
  await reach(me, documentId, 'complete');
  return documentId;
}

/** When its first sweep is over, and with it the marker left. */
async function loseErasure(documentId: string): Promise<void> {
  await eventually(async () => {
    const objects = await query(
      'select from intake.objects where document_id = $1 and removed_at is null',
      documentId,
    );
    expect(objects).toHaveLength(0);
  });
  await erasureOf(documentId).terminate();
}

/** As a restore from before the document; the answer is the restore from after it. */
async function takeRowsAway(documentId: string): Promise<() => Promise<void>> {
  const tables = [
    ['documents', 'id'],
    ['versions', 'document_id'],
    ['attempts', 'document_id'],
    ['objects', 'document_id'],
  ] as const;
  const kept = await Promise.all(
    tables.map(async ([table, key]) => {
      const rows = await query<{ row: unknown }>(
        `select to_jsonb(t) as row from intake.${table} t where ${key} = $1`,
        documentId,
      );
      return [table, JSON.stringify(rows.map(({ row }) => row))] as const;
    }),
  );
  await query('delete from intake.documents where id = $1', documentId);
  return async () => {
    const statements = kept.map(
      ([table, rows]) =>
        `insert into intake.${table} select * from jsonb_populate_recordset(null::intake.${table}, '${rows}')`,
    );
    await query(`begin; ${statements.join('; ')}; commit`);
  };
}

describe('a row without a run', () => {
  test('whose run was terminated is started again and comes to its end', async () => {
    const file = policy();
    const { documentId, uploadUrl } = await declare(me, file);
    const input = await inputOf(documentId);
    await runOf(documentId).terminate();
    const before = await attemptOf(documentId);
    await query('alter table intake.attempts disable trigger guard_status_move');
    await query(
      `update intake.attempts set updated_at = now() - interval '1 hour' where id = $1`,
      before.id,
    );
    await query('alter table intake.attempts enable trigger guard_status_move');
    await healedOnce({ kind: 'row-without-run', id: before.id });
    expect((await attemptOf(documentId)).run_id).not.toBe(before.run_id);
    expect(await inputOf(documentId), 'the same deadlines').toEqual(input);
    await put(uploadUrl, file);
    await me.api.confirmUpload(documentId);
    const end = await reach(me, documentId as DocumentId, 'complete');
    expect(end.attempts).toHaveLength(1);
  });

  test('in the middle of parsing adopts what is paid', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    const { counts } = await road.faults.parser.ledger();
    await runOf(documentId).terminate();
    const { id } = await attemptOf(documentId);
    expect(await reconcile()).toEqual([{ kind: 'row-without-run', id, treatment: 'healed' }]);
    await reach(me, documentId, 'complete');
    expect((await road.faults.parser.ledger()).counts['parse.paid']).toBe(counts['parse.paid']);
  });

  /** A document whose run failed, and whose row is as a dump from before that has it. */
  async function failedBehindTheDump(runId?: string) {
    await road.faults.parser.add({
      operation: 'parse.run',
      effect: { kind: 'named', name: 'fail-with-text' },
    });
    const documentId = await upload(me, policy());
    await eventually(async () => expect(await stateOf(runOf(documentId))).toBe('FAILED'));
    const ended = await attemptOf(documentId);
    await query('alter table intake.attempts disable trigger guard_status_move');
    await query(
      `update intake.attempts set status = 'parse_queued', error_code = null, ended_at = null, run_id = $2 where id = $1`,
      ended.id,
      runId ?? ended.run_id,
    );
    await query('alter table intake.attempts enable trigger guard_status_move');
    return { documentId, ended };
  }

  test('whose run failed and left no outcome gets that outcome', async () => {
    const { documentId, ended } = await failedBehindTheDump();
    await healedOnce({ kind: 'row-without-run', id: ended.id });
    expect(await attemptOf(documentId)).toEqual(ended);
  });

  test('whose failed run is not the one that the row names is started again', async () => {
    const { documentId, ended } = await failedBehindTheDump(randomUUID());
    const { id } = ended;
    expect(await reconcile()).toEqual([{ kind: 'row-without-run', id, treatment: 'healed' }]);
    await reach(me, documentId, 'complete');
  });

  test('that its owner has ended meanwhile stays as it was ended', async () => {
    const { documentId } = await failedBehindTheDump();
    const { signal } = new AbortController();
    const parties = buildReconciliation(road.shared);
    const scene = { ...parties, signal, now: inTwoDays(), afterRestore: false };
    const { value: found } = await lookAtAttempts(scene, undefined).next();
    await me.api.cancel(documentId);
    if (typeof found !== 'object') throw new Error('nothing found');
    await expect(found.heal?.()).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await attemptOf(documentId)).status).toBe('cancelled');
  });
});

describe('a run that a restored row has fallen behind', () => {
  test('is replaced from what the rows have, and what was paid is adopted', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 3_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    const { counts } = await road.faults.parser.ledger();
    const { id, run_id } = await attemptOf(documentId);
    const found = { kind: 'run-ahead-of-row', id };
    expect(await reconcile(), 'nobody says that a restore was').toEqual([]);
    const afterRestore = true;
    expect(await reconcile({ afterRestore, dryRun: true })).toEqual([
      { ...found, treatment: 'pending' },
    ]);
    expect(await reconcile({ afterRestore })).toEqual([{ ...found, treatment: 'healed' }]);
    expect((await attemptOf(documentId)).run_id).not.toBe(run_id);
    await reach(me, documentId, 'complete');
    expect((await road.faults.parser.ledger()).counts['parse.paid']).toBe(counts['parse.paid']);
  });

  test('is left alone where it has done nothing yet', async () => {
    const { documentId } = await declare(me, policy());
    expect(await reconcile({ afterRestore: true })).toEqual([]);
    await me.api.cancel(documentId);
  });

  test('and whose row names another run by now is not overwritten', async () => {
    const { documentId } = await declare(me, policy());
    const { id, run_id } = await attemptOf(documentId);
    await renewRun(road.database.pool, id as AttemptId, { from: randomUUID(), to: randomUUID() });
    expect((await attemptOf(documentId)).run_id).toBe(run_id);
    await me.api.cancel(documentId);
  });
});

describe('a run without a row', () => {
  test('is reported; only an operator who has restored ends it', async () => {
    const { documentId } = await declare(me, policy());
    await query('delete from intake.documents where id = $1', documentId);
    const found = { kind: 'run-without-row', id: documentId };
    await eventually(async () =>
      expect(await reconcile({ dryRun: true })).toEqual([{ ...found, treatment: 'reported' }]),
    );
    expect(await reconcile()).toEqual([{ ...found, treatment: 'reported' }]);
    expect(await stateOf(runOf(documentId))).toBe('RUNNING');
    const afterRestore = true;
    expect(await reconcile({ afterRestore })).toEqual([{ ...found, treatment: 'healed' }]);
    await eventually(async () => expect(await stateOf(runOf(documentId))).not.toBe('RUNNING'));
  });

  test('does nothing and says why; when the row is restored it goes on', async () => {
    const file = policy();
    const { documentId, uploadUrl } = await declare(me, file);
    await put(uploadUrl, file);
    const giveBack = await takeRowsAway(documentId);
    const { workflowService } = road.temporal.client;
    await road.temporal.client.workflow.signalWithStart('ingestDocument', {
      workflowId: ingestWorkflowId(documentId as DocumentId),
      taskQueue: road.config.TASK_QUEUE,
      signal: 'confirmUpload',
    });
    await eventually(async () => {
      const { pendingActivities } = await workflowService.describeWorkflowExecution({
        namespace: 'default',
        execution: { workflowId: ingestWorkflowId(documentId as DocumentId) },
      });
      const [activity] = pendingActivities ?? [];
      expect(activity?.lastFailure?.applicationFailureInfo?.type).toBe('ATTEMPT_ABSENT');
    });
    await eventually(async () =>
      expect(await reconcile(), 'its bytes are kept for the row').toMatchObject([
        { kind: 'run-without-row', treatment: 'reported' },
      ]),
    );
    await giveBack();
    await reach(me, documentId as DocumentId, 'complete');
  });

  test('but of an attempt that a later one has superseded is cancelled', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 60_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    const { id, run_id, version_id } = await attemptOf(documentId);
    await supersede(road.database.pool, {
      documentId,
      ownerId: me.ownerId,
      attemptId: id as AttemptId,
      versionId: version_id as VersionId,
      runId: run_id,
    });
    const found = { kind: 'run-not-stopped', id: documentId };
    const pending = [{ ...found, treatment: 'pending' }];
    await eventually(async () => expect(await reconcile({ dryRun: true })).toEqual(pending));
    expect(await reconcile({ dryRun: true, afterRestore: true }), 'not its own').toEqual(pending);
    expect(await reconcile()).toEqual([{ ...found, treatment: 'healed' }]);
    const { workflow } = road.temporal.client;
    const run = workflow.getHandle(ingestWorkflowId(documentId), run_id);
    await eventually(async () => expect(await stateOf(run)).toBe('CANCELLED'));
    await me.api.cancel(documentId);
    await eventually(async () => expect(await stateOf(runOf(documentId))).toBe('CANCELLED'));
  });

  test('or of a cancelled attempt that was never told is cancelled', async () => {
    const { documentId } = await declare(me, policy());
    await query(
      `update intake.attempts set status = 'cancelled', stop_sent_at = now() where document_id = $1`,
      documentId,
    );
    await eventually(async () => expect(await reconcile({ dryRun: true })).toHaveLength(1));
    expect(await reconcile({ now: new Date() }), 'it may be on its way').toEqual([]);
    const found = { kind: 'run-not-stopped', id: documentId, treatment: 'healed' };
    expect(await reconcile()).toEqual([found]);
    await eventually(async () => expect(await stateOf(runOf(documentId))).toBe('CANCELLED'));
    // The list of open runs is a moment behind.
    await eventually(async () => expect(await reconcile()).toEqual([]));
  });
});

describe('deletion', () => {
  test('an erasure whose run is lost is started again', async () => {
    const documentId = await complete();
    await me.api.delete(documentId);
    await loseErasure(documentId);
    await healedOnce({ kind: 'erasure-without-run', id: documentId });
    expect(await stateOf(erasureOf(documentId))).toBe('RUNNING');
    await erasureOf(documentId).terminate();
    await query('update intake.documents set erased_at = now() where id = $1', documentId);
    expect(await reconcile(), 'it is erased').toEqual([]);
  });

  test('that a restored database has forgotten is done again', async () => {
    const documentId = await complete();
    await me.api.delete(documentId);
    await loseErasure(documentId);
    // As a dump from before the deletion has it.
    await query(
      `update intake.documents set deleted_at = null, erase_run_id = null, name = 'policy.md', sha256 = $2 where id = $1`,
      documentId,
      'a'.repeat(64),
    );
    await expect(me.api.document(documentId)).resolves.toMatchObject({ documentId });
    const found = { kind: 'deletion-forgotten', id: documentId } as const;
    const [first, ...rest] = await reconcile({ dryRun: true });
    expect(first).toEqual({ ...found, treatment: 'pending' });
    expect(rest.map(({ kind }) => kind)).toEqual(['row-without-object', 'row-without-object']);
    expect(await reconcile()).toContainEqual({ ...found, treatment: 'healed' });
    await expect(me.api.document(documentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await eventually(async () => expect(await stateOf(erasureOf(documentId))).toBe('RUNNING'));
    expect(await reconcile()).toEqual([]);
  });

  test('that a restored database has forgotten takes the chunks along at once', async () => {
    const documentId = await complete();
    const marker = `tombstones/${documentId}.${me.ownerId}.${Date.now()}`;
    await road.shared.objectStore.put(marker, new Uint8Array(), { contentType: 'text/plain' });
    await road.stopWorker(); // who erases
    try {
      const found = { kind: 'deletion-forgotten', id: documentId, treatment: 'healed' };
      expect(await reconcile()).toContainEqual(found);
      const chunks = await query('select from intake.chunks where document_id = $1', documentId);
      expect(chunks).toHaveLength(0);
    } finally {
      await road.startWorker();
    }
  });

  test('is no reason to delete what was uploaded under the same id after it', async () => {
    const file = policy();
    const documentId = await upload(me, file);
    await reach(me, documentId, 'complete');
    await me.api.delete(documentId);
    await loseErasure(documentId);
    // As a dump from before the document has it.
    await query('delete from intake.documents where id = $1', documentId);
    expect(await upload(me, file)).toBe(documentId);
    await reach(me, documentId, 'complete');
    expect(await reconcile()).toEqual([]);
    await expect(me.api.document(documentId)).resolves.toMatchObject({ status: 'complete' });
  });

  test('of a document that the dump never had keeps its id taken', async () => {
    const documentId = await complete();
    await me.api.delete(documentId);
    await loseErasure(documentId);
    await query('delete from intake.documents where id = $1', documentId);
    expect(await reconcile()).toEqual([
      { kind: 'deletion-forgotten', id: documentId, treatment: 'healed' },
      { kind: 'erasure-without-run', id: documentId, treatment: 'healed' },
    ]);
    expect(
      await query(
        'select deleted_at is not null as deleted from intake.documents where id = $1',
        documentId,
      ),
    ).toEqual([{ deleted: true }]);
  });
});

describe('chunks without a document', () => {
  test('as a dump that was loaded without its constraints leaves them are removed', async () => {
    const documentId = await complete();
    const client = await road.database.pool.connect();
    await client.query(`set session_replication_role = replica`);
    await client.query('delete from intake.documents where id = $1', [documentId]);
    await client.query(`set session_replication_role = origin`);
    client.release();
    expect(await reconcile()).toContainEqual({
      kind: 'chunks-without-document',
      id: documentId,
      treatment: 'healed',
    });
    for (const table of ['chunks', 'vectors_384', 'generations']) {
      const rows = await query(`select from intake.${table} where document_id = $1`, documentId);
      expect(rows, table).toHaveLength(0);
    }
  });
});

describe('objects', () => {
  const place = () => ({ ownerId: me.ownerId, documentId: randomUUID() });

  test('below our roots that no row knows are removed, all others stay', async () => {
    const store = road.shared.objectStore;
    const living = await complete();
    const { ownerId, documentId } = place();
    const unknown = [
      `originals/${ownerId}/${living}/${randomUUID()}`,
      `uploads/${ownerId}/${documentId}/${randomUUID()}`,
      `originals/${ownerId}/${documentId}/${randomUUID()}`,
      `parsed/${ownerId}/${documentId}/${'a'.repeat(64)}.md`,
    ];
    const foreign = [
      `avatars/${ownerId}/${documentId}/me`,
      `originals/readme/notes/of-an-operator`,
    ];
    for (const key of [...unknown, ...foreign]) {
      await store.put(key, Buffer.from('x'), { contentType: 'text/plain' });
    }
    expect(await reconcile({ now: new Date() }), 'it may be on its way').toEqual([]);
    const afterRestore = await reconcile({ afterRestore: true });
    expect(afterRestore.map(({ id, treatment }) => [id, treatment]).toSorted()).toEqual(
      unknown.toSorted().map((key) => [key, 'reported']),
    );
    const treated = await reconcile();
    expect(treated.map(({ id }) => id).toSorted()).toEqual(unknown.toSorted());
    expect(new Set(treated.map(({ treatment }) => treatment))).toEqual(new Set(['healed']));
    for (const key of unknown) {
      await expect(store.stat(key)).rejects.toMatchObject({ code: 'STORAGE_OBJECT_ABSENT' });
    }
    for (const key of foreign)
      await expect(store.stat(key)).resolves.toMatchObject({ sizeBytes: 1 });
    await expect(me.api.document(living)).resolves.toMatchObject({ status: 'complete' });
    expect(await reconcile()).toEqual([]);
  });

  test('whose key is being written down while they are looked at stay', async () => {
    const documentId = await complete();
    const key = `originals/${me.ownerId}/${documentId}/${randomUUID()}`;
    await road.shared.objectStore.put(key, Buffer.from('x'), { contentType: 'text/plain' });
    const { pool } = road.database;
    let healing: Promise<unknown> = Promise.resolve();
    await inTransaction(pool, async (transaction) => {
      await transaction.query('select from intake.documents where id = $1 for no key update', [
        documentId,
      ]);
      await transaction.query(
        `insert into intake.objects (key, document_id, owner_id, kind) values ($1, $2, $3, 'original')`,
        [key, documentId, me.ownerId],
      );
      healing = reconcile();
      await eventually(async () =>
        expect(
          await query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          ),
        ).toHaveLength(1),
      );
    });
    await healing;
    await expect(road.shared.objectStore.stat(key)).resolves.toMatchObject({ sizeBytes: 1 });
  });

  test('that a document waits for are given to it, and nobody needs to upload again', async () => {
    const file = policy();
    const { documentId } = await declare(me, file);
    // As after a dump from before the upload: the private copy is there, its row is not.
    const id = `originals/${me.ownerId}/${documentId}/${randomUUID()}`;
    await road.shared.objectStore.put(id, Buffer.from(file.content), {
      contentType: 'text/markdown',
    });
    const found = { kind: 'upload-without-row', id, treatment: 'healed' };
    expect(await reconcile({ now: new Date() })).toEqual([found]);
    await reach(me, documentId as DocumentId, 'complete');
    expect(await reconcile()).toEqual([]);
  });

  test('that are gone are reported; the document stays searchable', async () => {
    const documentId = await complete();
    const [version] = await query<{ original_key: string }>(
      'select original_key from intake.versions where document_id = $1',
      documentId,
    );
    const id = version?.original_key ?? '';
    await road.shared.objectStore.remove([id]);
    const found = { kind: 'row-without-object', id, treatment: 'reported' };
    expect(await reconcile({ now: new Date() }), 'it may be on its way').toEqual([]);
    expect(await reconcile()).toEqual([found]);
    expect(await reconcile()).toEqual([found]);
    await expect(me.api.document(documentId)).resolves.toMatchObject({ searchable: true });
    await road.shared.objectStore.put(id, Buffer.from('x'), { contentType: 'text/plain' });
    expect(await reconcile(), 'put back').toEqual([]);
  });

  test('are not declared gone when storage only refuses us', async () => {
    await complete();
    await road.faults.storage.add({
      operation: 'object.list',
      times: 'always',
      effect: { kind: 'answer', status: 400, body: '{"statusCode":"403","error":"Unauthorized"}' },
    });
    await expect(reconcile()).rejects.toMatchObject({ code: 'STORAGE_FORBIDDEN' });
  });
});

describe('parse jobs', () => {
  test('at the vendor that no row knows are deleted; those of others stay', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 60_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    const [job] = await query<{ id: string; provider_job_id: string }>(
      'select id, provider_job_id from intake.parse_jobs where document_id = $1',
      documentId,
    );
    expect(await reconcile(), 'somebody waits for it').toEqual([]);
    const foreign = await foreignJob(job?.id ?? '');
    await runOf(documentId).terminate();
    await query('delete from intake.parse_jobs where id = $1', job?.id);
    await query('delete from intake.documents where id = $1', documentId);
    const found = { kind: 'parse-job-without-attempt', id: job?.id, treatment: 'healed' };
    expect(await reconcile()).toContainEqual(found);
    expect(await vendorJob(job?.provider_job_id ?? '')).toBe(404);
    expect(await vendorJob(foreign)).toBe(200);
    expect(await reconcile()).toEqual([]);
  });

  test('that were never answered are stopped when nobody waits any more', async () => {
    await road.faults.parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 60_000 } });
    const documentId = await upload(me, policy());
    await reach(me, documentId, 'parse_queued');
    // The worker that records the end cannot reach the vendor.
    await road.faults.parser.add(
      ...(['parse.delete', 'parse.cancel'] as const).map((operation) => ({
        operation,
        effect: { kind: 'answer', status: 500, body: '{}' } as const,
      })),
    );
    await me.api.cancel(documentId);
    await eventually(async () => expect(await stateOf(runOf(documentId))).toBe('CANCELLED'));
    const [job] = await query<{ id: string; provider_job_id: string }>(
      'select id, provider_job_id from intake.parse_jobs where document_id = $1',
      documentId,
    );
    await road.faults.parser.clear();
    await healedOnce({ kind: 'attempt-without-answer', id: job?.id ?? '' });
    expect(await vendorJob(job?.provider_job_id ?? '')).toBe(404);
    expect(await query('select state from intake.parse_jobs where id = $1', job?.id)).toEqual([
      { state: 'cancelled' },
    ]);
  });

  test('whose forgetting failed once are forgotten when nobody needs them any more', async () => {
    await road.faults.parser.add({
      operation: 'parse.delete',
      effect: { kind: 'answer', status: 500, body: '{}' },
    });
    const documentId = await complete();
    const [job] = await query<{ id: string; provider_job_id: string }>(
      'select id, provider_job_id from intake.parse_jobs where document_id = $1',
      documentId,
    );
    const id = job?.id ?? '';
    expect(await vendorJob(job?.provider_job_id ?? '')).toBe(200);
    expect(await vendorFiles(id)).toHaveLength(1);
    await healedOnce({ kind: 'parse-job-not-forgotten', id });
    expect(await vendorJob(job?.provider_job_id ?? '')).toBe(404);
    expect(await vendorFiles(id)).toEqual([]);
  });

  test('one that cannot be forgotten now keeps no other waiting', async () => {
    const refused = { kind: 'answer', status: 500, body: '{}' } as const;
    await road.faults.parser.add({ operation: 'parse.delete', times: 2, effect: refused });
    await complete();
    await complete();
    await road.faults.parser.add({ operation: 'parse.delete', effect: refused });
    const treated = await reconcile();
    expect(treated.map(({ treatment, code }) => [treatment, code]).toSorted()).toEqual([
      ['failed', 'LLAMAPARSE_SERVER_ERROR'],
      ['healed', undefined],
    ]);
    expect(await reconcile(), 'found again').toMatchObject([{ treatment: 'healed' }]);
  });

  test('whose create arrives after a cancel has looked are forgotten all the same', async () => {
    await road.faults.parser.add({ operation: 'parse.create', effect: { kind: 'hang' } });
    const { counts } = await road.faults.parser.ledger();
    const documentId = await upload(me, policy());
    await eventually(async () => {
      const { counts: now } = await road.faults.parser.ledger();
      expect(now['parse.create']).toBe((counts['parse.create'] ?? 0) + 1);
    });
    await me.api.cancel(documentId);
    await eventually(async () => expect(await stateOf(runOf(documentId))).toBe('CANCELLED'));
    const [row] = await query<{ id: string; forgotten: boolean }>(
      'select id, forgotten_at is not null as forgotten from intake.parse_jobs where document_id = $1',
      documentId,
    );
    expect(row?.forgotten, 'the look found nothing').toBe(true);
    const id = row?.id ?? '';
    const job = await createAtVendor(await uploadToVendor(id), {
      parseJobId: id,
      installation: installationMark(keysOf(road.config.WEBHOOK_TOKEN_KEY)[0]),
    });
    await healedOnce({ kind: 'parse-job-not-forgotten', id });
    expect(await vendorJob(job)).toBe(404);
    expect(await vendorFiles(id)).toEqual([]);
  });

  const vendor = (path: string, init: RequestInit = {}) =>
    fetch(`${road.config.LLAMA_CLOUD_BASE_URL}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${road.config.LLAMA_CLOUD_API_KEY}`,
        'content-type': 'application/json',
      },
    });
  const vendorJob = async (id: string) => (await vendor(`/api/v2/parse/${id}`)).status;

  async function vendorFiles(jobId: string): Promise<readonly { id: string }[]> {
    const files = await vendor(`/api/v1/beta/files?external_file_id=${jobId}`);
    return ((await files.json()) as { items: readonly { id: string }[] }).items;
  }

  /** Of another installation that shares the account. */
  async function foreignJob(likeJob: string): Promise<string> {
    const items = await vendorFiles(likeJob);
    const metadata = { parseJobId: randomUUID(), installation: 'another' };
    return await createAtVendor(items[0]?.id ?? '', metadata);
  }

  async function createAtVendor(fileId: string, metadata: object): Promise<string> {
    const made = await vendor('/api/v2/parse', {
      method: 'POST',
      body: JSON.stringify({
        file_id: fileId,
        tier: 'cost_effective',
        version: '2026-08-19',
        user_metadata: metadata,
      }),
    });
    return ((await made.json()) as { id: string }).id;
  }

  async function uploadToVendor(externalId: string): Promise<string> {
    const body = new FormData();
    body.set('file', new File([policy().content], 'a.md', { type: 'text/markdown' }));
    body.set('purpose', 'parse');
    body.set('external_file_id', externalId);
    const uploaded = await fetch(`${road.config.LLAMA_CLOUD_BASE_URL}/api/v1/beta/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${road.config.LLAMA_CLOUD_API_KEY}` },
      body,
    });
    return ((await uploaded.json()) as { id: string }).id;
  }
});
