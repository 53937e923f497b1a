/**
 * The database is restored from a dump while Temporal runs on. Every document is accounted for by the runbook's
 * commands, and what was deleted after the dump stays deleted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { confirm, declare, ended, look, put, reach, upload } from '../support/person.ts';
import {
  dump,
  intakeReconcile,
  kindsOf,
  manyPolicies,
  policy,
  restore,
} from '../support/restore-drill.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { untilTrue } from '../support/until.ts';

const PATIENCE_MS = 240_000;

let folder: string;
let database: TestDatabase;
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-restore-'));
  database = await createTestDatabase();
  stack = await startStack({
    databaseUrl: database.url,
    temporalAddress: inject('temporalAddress'),
    environment: { PARSE_POLL_FIRST_SECONDS: '2' },
  });
  await stack.worker.start();
}, PATIENCE_MS);
afterAll(async () => {
  await stack.close();
  await database.close();
  await rm(folder, { recursive: true });
});

test('nothing is stranded, nothing comes back', { timeout: PATIENCE_MS }, async () => {
  const { parser, embedding } = stack.faults;
  const me = await stack.person();
  const untouched = await upload(me, policy('was done before'));
  const deleted = await upload(me, policy('is deleted after it'));
  await reach(me, untouched, 'complete');
  await reach(me, deleted, 'complete');
  // Sub-batch after sub-batch, until long after the restore.
  await embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    effect: { kind: 'delay', ms: 1_000 },
  });
  const late = policy('gets its bytes after it');
  const waiting = await declare(me, late);
  const never = await declare(me, policy('never gets its bytes'));
  await parser.add(
    ...[1, 2].map(() => ({
      operation: 'parse.run' as const,
      effect: { kind: 'delay', ms: 6_000 } as const,
    })),
  );
  const parsing = await upload(me, policy('is parsed while it is taken'));
  const ahead = await upload(me, manyPolicies());
  await reach(me, parsing, 'parse_queued');
  await reach(me, ahead, 'parse_queued');

  const file = join(folder, 'intake.dump');
  await dump(database.url, file);

  await put(waiting.uploadUrl, late);
  await confirm(me, waiting.documentId);
  await reach(me, waiting.documentId, 'complete');
  await reach(me, parsing, 'complete');
  await me.send('DELETE', `/v1/documents/${deleted}`);
  await untilTrue('its chunks are gone', async () => {
    const { rows } = await database.pool.query('select from intake.chunks where document_id = $1', [
      deleted,
    ]);
    return rows.length === 0;
  });
  await reach(me, ahead, 'embedding_in_progress');
  await parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 60_000 } });
  const unknown = await upload(me, policy('came after it'));
  await reach(me, unknown, 'parse_queued');

  await Promise.all([stack.api.stop(), stack.worker.stop()]);
  await restore(database.url, file);
  await Promise.all([parser.clear(), embedding.clear()]);

  const told = await intakeReconcile(stack, '--after-restore', '--dry-run');
  const healed = await intakeReconcile(stack, '--after-restore');
  const left = await intakeReconcile(stack, '--after-restore', '--dry-run');
  // What is buried again is seen by no later pass: the dry run tells more, and never less.
  const toldIds = told.findings.map(({ kind, id }) => `${kind} ${id}`);
  expect(toldIds).toEqual(
    expect.arrayContaining(healed.findings.map(({ kind, id }) => `${kind} ${id}`)),
  );
  expect(kindsOf(healed)).toMatchObject({
    'deletion-forgotten healed': 1,
    'upload-without-row healed': 1,
    'row-without-run healed': 2,
    'run-ahead-of-row healed': 1,
    'run-without-row healed': 1,
    'parse-job-without-attempt healed': 1,
  });
  expect(Object.keys(kindsOf(left))).not.toContain('row-without-run pending');

  const { rows: chunks } = await database.pool.query(
    'select from intake.chunks where document_id = $1',
    [deleted],
  );
  expect(chunks).toHaveLength(0);
  await stack.api.start();
  expect((await me.send('GET', `/v1/documents/${deleted}`)).status).toBe(404);
  await stack.worker.start();
  const documents = [untouched, waiting.documentId, parsing, ahead];
  const ends = await Promise.all(documents.map((id) => ended(me, id)));
  expect(ends.map(({ status }) => status)).toEqual(documents.map(() => 'complete'));
  expect(await look(me, never.documentId)).toMatchObject({ status: 'awaiting_upload' });
  expect((await me.send('GET', `/v1/documents/${deleted}`)).status).toBe(404);
  // The one that the dump never had can be sent again.
  expect(await upload(me, policy('came after it'))).toBe(unknown);
  await reach(me, unknown, 'complete');
});
