/** The oracle itself: silent over a document that went its way, and each of its checks finds what was planted for it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Queryable } from '../../src/db/pool.ts';
import { type Ground, layGround } from './ground.ts';
import { judge, sceneOf } from './judge.ts';
import { bring, someDocument, untilSettled } from './life.ts';
import { checks } from './oracle/oracle.ts';
import type { Scene } from './oracle/scene.ts';

let ground: Ground;
let attemptId: string;
let scene: Scene;
const stranger = randomUUID();
beforeAll(async () => {
  ground = await layGround();
  const person = await ground.person();
  const documentId = await bring(person, someDocument());
  await untilSettled(ground, person, documentId);
  const { rows } = await ground.pool.query<{ id: string }>('select id from intake.attempts');
  attemptId = rows[0]?.id ?? '';
  scene = await sceneOf(ground, { owners: [person.ownerId, stranger] });
}, 120_000);
afterAll(() => ground.close());

/** Statements that are undone afterwards; without triggers and foreign keys, which would not let them through. */
const inRows: Readonly<Record<string, string>> = {
  'one live document per owner and content': `
    drop index intake.documents_one_live_per_content;
    insert into intake.documents (id, owner_id, name, sha256)
      select gen_random_uuid(), owner_id, name, sha256 from intake.documents`,
  'the live generation was completed': 'update intake.generations set completed_at = null',
  'no chunk without a live document': `
    update intake.documents set deleted_at = now(), live_generation_id = null`,
  'nothing follows an end': `
    insert into intake.events (document_id, owner_id, attempt_id, kind, status)
      select document_id, owner_id, id, 'status', 'parsed' from intake.attempts`,
  'an end has its instant, and nothing else has one': 'update intake.attempts set ended_at = null',
  'a tombstone has no successor of its content': `
    update intake.documents set deleted_at = created_at - interval '1 hour', live_generation_id = null`,
  'a tombstone keeps neither name nor hash': `
    update intake.documents set deleted_at = now(), live_generation_id = null`,
  'each status follows legally from the one before': `
    delete from intake.events where status = 'parsed'`,
  'the status is the last one of the timeline': `
    update intake.attempts set status = 'embeddings_stored'`,
  'a failure has a code': `update intake.attempts set status = 'failed_parse'`,
  'no wait outlives its deadline': `
    update intake.attempts set ended_at = null, deadline_at = now() - interval '1 hour'`,
  'whatever is of a document is of its owner': `
    update intake.vectors_384 set owner_id = gen_random_uuid()`,
  'a complete document has all its chunks, vectors and postings': `
    delete from intake.vectors_384 where chunk_id = (select min(chunk_id::text)::uuid from intake.vectors_384)`,
  'every accepted document has ended': 'update intake.attempts set ended_at = null',
  'no object that the rows do not know': `delete from intake.objects where kind = 'parsed'`,
  'a complete document has its original and its Markdown': `
    update intake.versions set original_key = 'originals/gone'`,
  'a parse job is written down before it is paid for': 'delete from intake.parse_jobs',
  'no version is parsed twice': `
    insert into intake.parse_jobs (id, document_id, owner_id, version_id, made_by, options_fingerprint)
      select gen_random_uuid(), document_id, owner_id, version_id, made_by, options_fingerprint from intake.parse_jobs`,
  'a run closes as its row ended': `update intake.attempts set status = 'cancelled'`,
};

/** What another part says, changed in the telling; or a word that is truly there, looked for as if it might not be. */
const inOtherParts: Readonly<Record<string, () => Partial<Scene>>> = {
  'no parse job is paid for twice': () => ({ ledgers: doubled(scene) }),
  'no finished sub-batch is embedded again': () => ({ ledgers: doubled(scene) }),
  'no log line knows a document': () => ({ canary: 'worker ready' }),
  'no history knows a document': () => ({ canary: attemptId }),
};

/** These need rows of their own. */
const byHand: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  'a run names the owner of its document': () =>
    planted(
      [`update intake.attempts set owner_id = '${stranger}'`],
      'a run names the owner of its document',
    ),
  'a complete document is found by its owner': async () => {
    const { rows } = await ground.pool.query<{ live: string }>(
      'select live_generation_id as live from intake.documents',
    );
    await ground.pool.query('update intake.documents set live_generation_id = null');
    try {
      return await violations('a complete document is found by its owner', scene);
    } finally {
      await ground.pool.query('update intake.documents set live_generation_id = $1', [
        rows[0]?.live,
      ]);
    }
  },
};

function doubled({ ledgers: { parser, embedder } }: Scene): Scene['ledgers'] {
  return { parser: [...parser, ...parser], embedder: [...embedder, ...embedder] };
}

async function violations(name: string, over: Scene): Promise<readonly string[]> {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check is called ${name}`);
  return await check.find(over);
}

async function planted(statements: readonly string[], name: string): Promise<readonly string[]> {
  const client = await ground.pool.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    for (const statement of statements) await client.query(statement);
    return await violations(name, { ...scene, database: client satisfies Queryable });
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('nothing is found where nothing is wrong', async () => {
  expect(await judge(ground)).toEqual([]);
});

test('every check has something planted for it', () => {
  const known = [inRows, inOtherParts, byHand].flatMap((plants) => Object.keys(plants));
  expect(known.toSorted()).toEqual(checks.map(({ name }) => name).toSorted());
});

test.each(Object.entries(inRows))('found in the rows: %s', async (name, statements) => {
  expect(await planted([statements], name)).not.toEqual([]);
  expect(await violations(name, scene)).toEqual([]);
});

test.each(Object.entries(inOtherParts))('found elsewhere: %s', async (name, plant) => {
  expect(await violations(name, { ...scene, ...plant() })).not.toEqual([]);
  expect(await violations(name, scene)).toEqual([]);
});

test.each(Object.entries(byHand))('found: %s', async (name, plant) => {
  expect(await plant()).not.toEqual([]);
  expect(await violations(name, scene)).toEqual([]);
});
