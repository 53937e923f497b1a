/** The circuit breaker round blob reads, under a storm: documents wait, none fails, and storage is left in peace. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DocumentId } from '../../src/domain/ids.ts';
import { declare, type Person, type Road, reach, startRoad, upload } from '../support/road.ts';
import { untilTrue } from '../support/until.ts';

/** The breaker's transitions, as the log tells them. */
const transitions: string[] = [];
const logger = pino(
  { level: 'warn' },
  {
    write: (line) => {
      const { breaker, state } = JSON.parse(line);
      if (breaker === 'blob-reads') transitions.push(state);
    },
  },
);

let road: Road;
let me: Person;
beforeAll(async () => {
  road = await startRoad({ logger, environment: { STORAGE_BREAKER_SECONDS: '1' } });
  me = await road.person();
  await road.startWorker();
});
afterAll(() => road.close());

const policy = () => ({ content: `# Policy\n\nPlan ${randomUUID()} covers this.\n` });
const waitsFor = async (documentId: string, code: string) =>
  (await me.api.document(documentId)).waiting?.code === code;
const copies = async () => (await road.faults.storage.ledger()).counts['object.copy'] ?? 0;
const count = (state: string) => transitions.filter((each) => each === state).length;

test('files that are not there open nothing: who has sent theirs is served', async () => {
  const absent = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { documentId } = await declare(me, policy());
      await me.api.confirmUpload(documentId);
      return documentId;
    }),
  );
  for (const documentId of absent) {
    await untilTrue('it is looked for', () => waitsFor(documentId, 'STORAGE_OBJECT_ABSENT'));
  }
  expect(await copies(), 'more looks than failures would need').toBeGreaterThan(5);
  await reach(me, await upload(me, policy()), 'complete');
  expect(transitions).toEqual([]);
  await Promise.all(absent.map((documentId) => me.api.cancel(documentId)));
});

test('while storage is down documents wait in their own words, one call at a time probes, and all complete', async () => {
  const { storage } = road.faults;
  await storage.clearLedger();
  await storage.add({
    operation: 'object.copy',
    times: 'always',
    effect: { kind: 'answer', status: 503, body: '<html>' },
  });
  const first: DocumentId[] = [];
  for (let n = 0; n < 5; n += 1) first.push(await upload(me, policy()));
  await untilTrue('the breaker has opened', async () => count('open') > 0);
  await untilTrue('nobody is on the way to storage', async () => {
    const { calls } = await storage.ledger();
    return calls.every(({ status }) => status !== null);
  });
  const begun = { copies: await copies(), probes: count('half-open') };
  const later = await Promise.all(Array.from({ length: 10 }, () => upload(me, policy())));
  for (const documentId of [...first, ...later]) {
    await untilTrue('it waits for the breaker', () =>
      waitsFor(documentId, 'FILE_ACCESS_CIRCUIT_BREAKER_OPEN'),
    );
  }
  const { waiting, status } = await me.api.document(later[0] ?? '');
  expect(status, 'none fails').toBe('awaiting_upload');
  expect(waiting).toMatchObject({
    turn: 'us',
    message: 'File access service is temporarily unavailable due to repeated failures',
  });
  await untilTrue('it was probed again', async () => count('half-open') >= begun.probes + 2);
  const probes = count('half-open') - begun.probes;
  expect((await copies()) - begun.copies, 'a probe each, and nobody else').toBeLessThanOrEqual(
    probes,
  );
  await storage.clear();
  for (const documentId of [...first, ...later]) await reach(me, documentId, 'complete');
  expect(transitions.at(-1)).toBe('closed');
  expect(count('open'), 'every probe that failed opened it again').toBe(count('half-open'));
});
