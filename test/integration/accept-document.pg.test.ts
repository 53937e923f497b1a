/** Accept and the commands on a document: rows first, then Temporal, and the sweep makes good what was lost between. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { acceptUpload, commitAcceptance } from '../../src/api/services/accept-document.ts';
import {
  cancelDocument,
  confirmUpload,
  deleteDocument,
  retryDocument,
} from '../../src/api/services/command-document.ts';
import { sweepOutbox } from '../../src/api/services/outbox-sweep.ts';
import { endAttempt } from '../../src/db/attempts.ts';
import type { Declaration } from '../../src/db/documents.ts';
import {
  type AttemptId,
  type DocumentId,
  eraseWorkflowId,
  ingestWorkflowId,
} from '../../src/domain/ids.ts';
import type { Status } from '../../src/domain/ingestion.ts';
import { sha256, someOwner } from '../support/documents.ts';
import { runsOn, startServices, type TestServices } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const caller = () => ({ ownerId: someOwner(), correlationId: randomUUID() });
const declared = (content: string = randomUUID()): Declaration => ({
  name: 'policy.txt',
  mediaType: 'text/plain',
  sizeBytes: Buffer.byteLength(content),
  sha256: sha256(content),
});
const code = (expected: string) => expect.objectContaining({ code: expected });

async function rowOf(documentId: DocumentId) {
  const { rows } = await services.pool.query<{
    id: AttemptId;
    number: number;
    status: Status;
    run_id: string | null;
    start_stage: string;
  }>(
    `select a.id, a.number, a.status, a.run_id, a.start_stage from intake.documents d
     join intake.attempts a on a.id = d.current_attempt_id where d.id = $1`,
    [documentId],
  );
  const row = rows[0];
  if (!row) throw new Error('no such document');
  return row;
}

async function end(documentId: DocumentId, status: Status): Promise<void> {
  const { id } = await rowOf(documentId);
  await endAttempt(services.pool, id, { status, code: 'UPLOAD_EXPIRED', failedStage: 'verify' });
  const handle = services.temporal.client.workflow.getHandle(ingestWorkflowId(documentId));
  await handle.terminate();
}

/** Nobody works on these runs: a cancel is seen in the history, with the task that ends a start delay. */
async function wasToldToStop(documentId: DocumentId): Promise<boolean> {
  const { events } = await services.temporal.client.workflow
    .getHandle(ingestWorkflowId(documentId))
    .fetchHistory();
  const told = events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return (
    told === true && events?.some((event) => event.workflowTaskScheduledEventAttributes) === true
  );
}

describe('accept', () => {
  test('commits, starts with a delay, stamps the run, and signs a URL that a bare PUT can use', async () => {
    const me = caller();
    const content = randomUUID();
    const accepted = await acceptUpload(services, me, declared(content));
    expect(accepted).toMatchObject({ status: 'awaiting_upload', created: true });
    const { run_id } = await rowOf(accepted.documentId);
    const description = await services.temporal.client.workflow
      .getHandle(ingestWorkflowId(accepted.documentId))
      .describe();
    expect(description.runId).toBe(run_id);
    expect(description.historyLength).toBe(1);
    const put = await fetch(accepted.upload?.url ?? '', {
      method: 'PUT',
      body: content,
      headers: { 'content-type': 'text/plain' },
    });
    expect(put.status).toBe(200);
  });

  test('the same bytes at once are one document; both callers may upload', async () => {
    const me = caller();
    const declaration = declared();
    const answers = await Promise.all([1, 2, 3].map(() => acceptUpload(services, me, declaration)));
    expect(new Set(answers.map((answer) => answer.documentId)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.upload?.url)).size).toBe(3);
    expect(answers.filter((answer) => answer.created)).toHaveLength(1);
  });

  test('joining has an end', async () => {
    const me = caller();
    const declaration = declared();
    for (let calls = 0; calls < 20; calls += 1) await acceptUpload(services, me, declaration);
    await expect(acceptUpload(services, me, declaration)).rejects.toEqual(
      code('UPLOAD_QUOTA_EXCEEDED'),
    );
  });

  test('another owner with the same bytes has a document of its own', async () => {
    const declaration = declared();
    const [mine, theirs] = await Promise.all([
      acceptUpload(services, caller(), declaration),
      acceptUpload(services, caller(), declaration),
    ]);
    expect(mine.documentId).not.toBe(theirs.documentId);
  });

  test.each(['upload_expired', 'upload_rejected', 'failed_storage', 'cancelled'] as const)(
    'after %s the same bytes are a new attempt of the same document',
    async (status) => {
      const me = caller();
      const declaration = declared();
      const first = await acceptUpload(services, me, declaration);
      await end(first.documentId, status);
      const second = await acceptUpload(services, me, declaration);
      expect(second).toMatchObject({
        documentId: first.documentId,
        created: true,
        status: 'awaiting_upload',
      });
      expect(await rowOf(first.documentId)).toMatchObject({ number: 2, status: 'awaiting_upload' });
      expect((await rowOf(first.documentId)).run_id).not.toBeNull();
    },
  );

  test('after a delete the same bytes are a new incarnation', async () => {
    const me = caller();
    const declaration = declared();
    const first = await acceptUpload(services, me, declaration);
    await deleteDocument(services, me, first.documentId);
    const second = await acceptUpload(services, me, declaration);
    expect(second.documentId).not.toBe(first.documentId);
    expect(second.created).toBe(true);
  });

  test('caps on unfinished uploads and reserved bytes hold under concurrency', async () => {
    const few = { ...services, settings: { ...services.settings, maxUnfinishedUploads: 3 } };
    const me = caller();
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => acceptUpload(few, me, declared())),
    );
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(3);
    const small = { ...services, settings: { ...services.settings, maxReservedBytes: 40 } };
    const other = caller();
    await acceptUpload(small, other, declared());
    await expect(acceptUpload(small, other, declared())).rejects.toEqual(
      code('UPLOAD_QUOTA_EXCEEDED'),
    );
  });

  test.each([
    [0, 'EMPTY_FILE'],
    [52_428_801, 'DOCUMENT_TOO_LARGE'],
  ])('a declared size of %i is %s before anything is written', async (sizeBytes, expected) => {
    await expect(acceptUpload(services, caller(), { ...declared(), sizeBytes })).rejects.toEqual(
      code(expected),
    );
  });
});

describe('what is lost between commit and Temporal', () => {
  test('a commit without a start is started by the sweep', async () => {
    const me = caller();
    const { documentId } = await commitAcceptance(services, me, declared());
    expect((await rowOf(documentId)).run_id).toBeNull();
    await services.pool.query(
      `update intake.attempts set created_at = now() - interval '3 seconds' where document_id = $1`,
      [documentId],
    );
    await sweepOutbox(services);
    const { run_id } = await rowOf(documentId);
    expect(run_id).toBe(
      (await services.temporal.client.workflow.getHandle(ingestWorkflowId(documentId)).describe())
        .runId,
    );
  });

  test('a start without a stamp is found again and not doubled', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    const { run_id } = await rowOf(documentId);
    await services.pool.query(
      `update intake.attempts set run_id = null, created_at = now() - interval '3 seconds' where document_id = $1`,
      [documentId],
    );
    await sweepOutbox(services);
    expect((await rowOf(documentId)).run_id).toBe(run_id);
  });

  test('a new attempt is not started while the run of the old one is still closing', async () => {
    const me = caller();
    const declaration = declared();
    const { documentId } = await acceptUpload(services, me, declaration);
    const { id, run_id } = await rowOf(documentId);
    await endAttempt(services.pool, id, {
      status: 'upload_expired',
      code: 'UPLOAD_EXPIRED',
      failedStage: 'verify',
    });
    await acceptUpload(services, me, declaration);
    expect((await rowOf(documentId)).run_id).toBeNull();
    const handle = services.temporal.client.workflow.getHandle(ingestWorkflowId(documentId));
    await handle.terminate();
    await services.pool.query(
      `update intake.attempts set created_at = now() - interval '3 seconds' where document_id = $1`,
      [documentId],
    );
    await sweepOutbox(services);
    const stamped = (await rowOf(documentId)).run_id;
    expect(stamped).not.toBeNull();
    expect(stamped).not.toBe(run_id);
  });

  test('a closed run that no row knows, as after a restore, strands nothing', async () => {
    const me = caller();
    const declaration = declared();
    const { documentId } = await acceptUpload(services, me, declaration);
    const before = await rowOf(documentId);
    await services.temporal.client.workflow.getHandle(ingestWorkflowId(documentId)).terminate();
    await services.pool.query('delete from intake.documents where id = $1', [documentId]);
    await acceptUpload(services, me, declaration);
    const after = await rowOf(documentId);
    expect(after.number).toBe(1);
    expect(after.run_id).not.toBeNull();
    expect(after.run_id).not.toBe(before.run_id);
  });

  test('a late stop of an ended attempt leaves the run of the next one alone', async () => {
    const me = caller();
    const declaration = declared();
    const { documentId } = await acceptUpload(services, me, declaration);
    const { id } = await rowOf(documentId);
    await end(documentId, 'cancelled');
    await acceptUpload(services, me, declaration);
    await services.pool.query(
      `update intake.attempts set ended_at = now() - interval '3 seconds' where id = $1`,
      [id],
    );
    await sweepOutbox(services);
    expect(await wasToldToStop(documentId)).toBe(false);
  });

  test('a confirm that never reached its run is told by the sweep', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await services.pool.query(
      `update intake.attempts set confirmed_at = now() - interval '3 seconds' where document_id = $1`,
      [documentId],
    );
    await sweepOutbox(services);
    await sweepOutbox(services);
    const { events } = await services.temporal.client.workflow
      .getHandle(ingestWorkflowId(documentId))
      .fetchHistory();
    const signals = events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
    expect(signals).toHaveLength(1);
  });

  test('bytes brought back by an old upload URL are removed when it can no longer be used', async () => {
    const me = caller();
    const content = randomUUID();
    const { documentId, upload } = await acceptUpload(services, me, declared(content));
    await fetch(upload?.url ?? '', {
      method: 'PUT',
      body: content,
      headers: { 'content-type': 'text/plain' },
    });
    const { rows } = await services.pool.query<{ key: string }>(
      `update intake.objects set removed_at = now() where document_id = $1 returning key`,
      [documentId],
    );
    const key = rows[0]?.key ?? '';
    await sweepOutbox(services);
    await expect(services.objectStore.stat(key)).resolves.toMatchObject({
      sizeBytes: content.length,
    });
    await services.pool.query(`update intake.objects set url_expires_at = now() where key = $1`, [
      key,
    ]);
    await sweepOutbox(services);
    await expect(services.objectStore.stat(key)).rejects.toEqual(code('STORAGE_OBJECT_ABSENT'));
  });

  test('an object that will not go keeps no other from its removal', async () => {
    const me = caller();
    const keys = await Promise.all(
      [declared(), declared()].map(async (declaration) => {
        const { documentId } = await acceptUpload(services, me, declaration);
        const { rows } = await services.pool.query<{ key: string }>(
          `update intake.objects set removed_at = now(), url_expires_at = now() where document_id = $1 returning key`,
          [documentId],
        );
        return rows[0]?.key ?? '';
      }),
    );
    await services.storageFaults.add({
      operation: 'object.remove',
      subject: keys[0] ?? '',
      times: 'always',
      effect: { kind: 'answer', status: 500 },
    });
    await sweepOutbox(services);
    await services.storageFaults.clear();
    const { rows } = await services.pool.query<{ key: string }>(
      'select key from intake.objects where key = any($1) and swept_at is null',
      [keys],
    );
    expect(rows.map(({ key }) => key)).toEqual([keys[0]]);
  });

  test.each([
    ['cancel', cancelDocument, undefined],
    ['delete', deleteDocument, undefined],
    ['retry', retryDocument, 'failed_storage'],
  ] as const)(
    'a %s while Temporal is away has happened all the same',
    async (_, command, ended) => {
      const me = caller();
      const { documentId } = await acceptUpload(services, me, declared());
      if (ended) await end(documentId, ended);
      const proxy = await startTcpProxy(inject('temporalAddress'));
      const connection = await Connection.connect({ address: proxy.address });
      onTestFinished(() => connection.close());
      await proxy.close();
      const away = { ...services, runs: runsOn(new Client({ connection })) };
      await expect(command(away, me, documentId)).resolves.toMatchObject({ documentId });
    },
  );

  test('a cancel that Temporal did not hear is told again, a lost erasure is started', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    const { id } = await rowOf(documentId);
    await endAttempt(services.pool, id, {
      status: 'cancelled',
      code: 'CANCELLED',
      failedStage: undefined,
    });
    await services.pool.query(
      `update intake.attempts set ended_at = now() - interval '3 seconds' where id = $1`,
      [id],
    );
    const deleted = await acceptUpload(services, me, declared());
    await services.pool.query(
      `update intake.documents set deleted_at = now() - interval '3 seconds', sha256 = null, name = '' where id = $1`,
      [deleted.documentId],
    );
    await sweepOutbox(services);
    expect(await wasToldToStop(documentId)).toBe(true);
    const erasure = services.temporal.client.workflow.getHandle(
      eraseWorkflowId(deleted.documentId),
    );
    expect((await erasure.describe()).status.name).toBe('RUNNING');
  });
});

describe('commands', () => {
  test('confirm ends the delay; after the end it answers from the row', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await confirmUpload(services, me, documentId);
    const handle = services.temporal.client.workflow.getHandle(ingestWorkflowId(documentId));
    const history = await handle.fetchHistory();
    expect(history.events?.some((event) => event.workflowTaskScheduledEventAttributes)).toBe(true);
    await end(documentId, 'upload_expired');
    await expect(confirmUpload(services, me, documentId)).resolves.toMatchObject({
      status: 'upload_expired',
    });
  });

  test('confirm for a start that was lost starts it first', async () => {
    const me = caller();
    const { documentId } = await commitAcceptance(services, me, declared());
    await confirmUpload(services, me, documentId);
    expect((await rowOf(documentId)).run_id).not.toBeNull();
  });

  test('cancel is final in the row at once and ends the start delay', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await expect(cancelDocument(services, me, documentId)).resolves.toMatchObject({
      status: 'cancelled',
    });
    await expect(cancelDocument(services, me, documentId)).resolves.toMatchObject({
      status: 'cancelled',
    });
    expect(await wasToldToStop(documentId)).toBe(true);
  });

  test('retry needs a failure; without bytes the way is a new upload', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await expect(retryDocument(services, me, documentId)).rejects.toEqual(code('NOT_POSSIBLE_NOW'));
    await end(documentId, 'upload_expired');
    await expect(retryDocument(services, me, documentId)).rejects.toEqual(code('NOT_POSSIBLE_NOW'));
  });

  test('retry after storage failed looks at the old upload at once', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await end(documentId, 'failed_storage');
    await expect(retryDocument(services, me, documentId)).resolves.toMatchObject({
      status: 'awaiting_upload',
    });
    const history = await services.temporal.client.workflow
      .getHandle(ingestWorkflowId(documentId))
      .fetchHistory();
    const [started] = history.events ?? [];
    expect(
      Number(
        started?.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff?.seconds ?? 0,
      ),
    ).toBe(0);
  });

  test('what is not the caller’s is not found, and deleted is not found', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    for (const command of [confirmUpload, cancelDocument, retryDocument, deleteDocument]) {
      await expect(command(services, caller(), documentId)).rejects.toEqual(code('NOT_FOUND'));
    }
    await deleteDocument(services, me, documentId);
    await expect(deleteDocument(services, me, documentId)).rejects.toEqual(code('NOT_FOUND'));
    expect(await wasToldToStop(documentId)).toBe(true);
  });

  test('a delete leaves a tombstone without name and hash', async () => {
    const me = caller();
    const { documentId } = await acceptUpload(services, me, declared());
    await deleteDocument(services, me, documentId);
    const { rows } = await services.pool.query(
      'select name, sha256, deleted_at from intake.documents where id = $1',
      [documentId],
    );
    expect(rows[0]).toMatchObject({ name: '', sha256: null, deleted_at: expect.any(Date) });
  });
});
