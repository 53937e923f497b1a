/** Temporal's store is lost while the database is kept: one command starts every unfinished document again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnTemporal, startOnOwnTemporal } from '../support/own-temporal.ts';
import { confirm, declare, ended, put, reach, upload } from '../support/person.ts';
import { intakeReconcile, kindsOf, manyPolicies, policy } from '../support/restore-drill.ts';

const PATIENCE_MS = 240_000;

let temporal: OwnTemporal;
beforeAll(async () => {
  temporal = await startOnOwnTemporal();
}, PATIENCE_MS);
afterAll(() => temporal.close());

test('every document goes on where it was', { timeout: PATIENCE_MS }, async () => {
  const { stack } = temporal;
  const { parser, embedding } = stack.faults;
  const me = await stack.person();
  const done = await upload(me, policy('was done before'));
  await reach(me, done, 'complete');
  const deleted = await upload(me, policy('was deleted before'));
  await reach(me, deleted, 'complete');
  await me.send('DELETE', `/v1/documents/${deleted}`);
  const late = policy('gets its bytes after it');
  const waiting = await declare(me, late);
  await embedding.add({
    operation: 'embeddings.create',
    times: 'always',
    effect: { kind: 'delay', ms: 500 },
  });
  const embedded = await upload(me, manyPolicies());
  await reach(me, embedded, 'embedding_in_progress');
  await parser.add({ operation: 'parse.run', effect: { kind: 'delay', ms: 15_000 } });
  const parsing = await upload(me, policy('is being parsed'));
  await reach(me, parsing, 'parse_queued');
  const paid = (await parser.ledger()).counts['parse.paid'];

  await Promise.all([stack.api.stop(), stack.worker.stop()]);
  await temporal.stop();
  await temporal.loseStore();
  await temporal.start();
  await embedding.clear();

  const told = await intakeReconcile(stack, '--after-restore', '--dry-run');
  expect(told).toMatchObject({ exitCode: 4 });
  expect(kindsOf(told)).toEqual({ 'row-without-run pending': 3, 'erasure-without-run pending': 1 });
  const healed = await intakeReconcile(stack, '--after-restore');
  expect(healed).toMatchObject({ exitCode: 0 });
  expect(kindsOf(healed)).toEqual({ 'row-without-run healed': 3, 'erasure-without-run healed': 1 });
  expect(await intakeReconcile(stack, '--after-restore')).toMatchObject({
    exitCode: 0,
    findings: [],
  });

  await Promise.all([stack.api.start(), stack.worker.start()]);
  await put(waiting.uploadUrl, late);
  expect(await confirm(me, waiting.documentId)).toBe(202);
  const documents = [done, waiting.documentId, parsing, embedded];
  const ends = await Promise.all(documents.map((id) => ended(me, id)));
  expect(ends.map(({ status }) => status)).toEqual(documents.map(() => 'complete'));
  expect(ends.map(({ attempts }) => attempts.length)).toEqual(documents.map(() => 1));
  // The one that waited for its bytes was not paid for yet.
  expect((await parser.ledger()).counts['parse.paid']).toBe((paid ?? 0) + 1);
  expect((await me.send('GET', `/v1/documents/${deleted}`)).status).toBe(404);
});
