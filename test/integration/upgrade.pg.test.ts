/**
 * The cut-over as ops/runbooks/cut-over.md has it, on an installation of the original with documents in every status:
 * looked at, taken over, gone back from, taken over again, and every document on to its end.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { upgradeCommand } from '../../src/cli/commands/upgrade.ts';
import { pendingMigrations } from '../../src/db/migrate.ts';
import type { DocumentId, OwnerId } from '../../src/domain/ids.ts';
import { SupabaseObjectStore } from '../../src/storage/supabase-object-store.ts';
import { run } from '../support/cli.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { someOwner } from '../support/documents.ts';
import {
  addOld,
  createOriginal,
  fingerprint,
  type OldDocument,
  type OldRows,
  originalStatuses,
  retrieve,
} from '../support/original.ts';
import { type Person, put, type Road, reach, startRoad } from '../support/road.ts';
import { type StandIns, startStandIns } from '../support/stand-ins.ts';

const [alice, bob] = [someOwner(), someOwner()];

/** One of each status, and rows that only an old installation has. */
const installation: readonly OldRows[] = [
  ...originalStatuses.map((status) => ({ word: status, status, ...chunksAt(status) })),
  {
    word: 'finished',
    status: 'complete',
    vectors: 'real',
    rawPath: (key) => `storage://files/${key}`,
  },
  { word: 'without bytes', status: 'complete', vectors: 'real', bytes: 'absent' },
  { word: 'zeros', status: 'complete', vectors: 'zeros' },
  { word: 'hollow', status: 'complete' },
  {
    word: 'copied',
    status: 'complete',
    vectors: 'real',
    parsedPath: () => `files/user/${bob}/parsed/0.md`,
  },
  { word: 'twin', status: 'duplicate', vectors: 'real' },
  { word: 'never sent', status: 'uploaded', bytes: 'absent' },
  { word: 'sent late', status: 'uploaded', bytes: 'absent' },
  { word: 'elsewhere', status: 'uploaded', rawPath: () => `files/user/${bob}/raw/0.md` },
  { word: 'jobless', status: undefined },
  { word: 'statusless', status: null },
  { word: 'hashless', status: 'uploaded', hash: () => 'unknown' },
  { word: 'capitals', status: 'uploaded', hash: (same) => same.toUpperCase() },
  { word: 'unread', status: 'failed_parse', bytes: 'absent' },
];

/** What the original's worker had written by then. */
function chunksAt(status: string): Pick<OldRows, 'vectors' | 'lastError'> {
  if (status.startsWith('failed')) {
    return {
      lastError: { error: JSON.stringify({ code: 'STORAGE_ACCESS_ERROR', user: 'A. Person' }) },
    };
  }
  if (['chunks_stored', 'embedding_queued', 'embedding_in_progress'].includes(status)) {
    return { vectors: 'zeros' };
  }
  return { vectors: ['embeddings_stored', 'complete'].includes(status) ? 'real' : 'none' };
}

const unfinished = [
  ...originalStatuses.slice(0, originalStatuses.indexOf('complete')),
  'zeros',
  'hollow',
  'copied',
  'jobless',
  'statusless',
  'capitals',
];

let folder: string;
let database: TestDatabase;
let standIns: StandIns;
let objectStore: SupabaseObjectStore;
const old = new Map<string, OldDocument>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-original-'));
  database = await createEmptyDatabase();
  standIns = await startStandIns(folder);
  const { environment } = standIns;
  objectStore = new SupabaseObjectStore({
    url: environment['SUPABASE_URL'] ?? '',
    serviceRoleKey: environment['SUPABASE_SERVICE_ROLE_KEY'] ?? '',
    bucket: 'files',
  });
  await createOriginal(database.pool);
  for (const rows of installation) await bring(alice, rows);
  await bring(bob, { word: 'his', status: 'complete', vectors: 'real' });
});
beforeEach(() => {
  const environment = { DATABASE_URL: database.url, ...standIns.environment };
  for (const [key, value] of Object.entries(environment)) vi.stubEnv(key, value);
});
afterAll(() => rm(folder, { recursive: true }));

async function bring(owner: OwnerId, rows: OldRows): Promise<OldDocument> {
  const document = await addOld({ q: database.pool, objectStore }, owner, rows);
  old.set(rows.word, document);
  return document;
}

function idOf(word: string): DocumentId {
  const document = old.get(word);
  if (document === undefined) throw new Error(`no document ${word}`);
  return document.id;
}

interface Answer {
  readonly groups: readonly { status: string; becomes: string; documents: number }[];
  readonly originals?: Readonly<Record<string, number>>;
  readonly markdowns?: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string };
}

async function intakeUpgrade(...flags: string[]): Promise<{ exitCode: number } & Answer> {
  const { exitCode, stdout } = await run(upgradeCommand, '--json', ...flags);
  return { exitCode, ...(JSON.parse(stdout) as Answer) };
}

const original = () => fingerprint(database.pool, 'upload_pipeline');
const intake = () => fingerprint(database.pool, 'intake');

async function statuses(): Promise<ReadonlyMap<string, string>> {
  const { rows } = await database.pool.query<{ id: string; status: string }>(
    `select d.id, a.status from intake.documents d join intake.attempts a on a.id = d.current_attempt_id`,
  );
  const words = new Map([...old].map(([word, { id }]) => [id as string, word]));
  return new Map(rows.map(({ id, status }) => [words.get(id) ?? id, status]));
}

describe('the cut-over', () => {
  let before: string;

  it('is looked at first: what becomes of every document, and nothing is changed', async () => {
    before = await original();
    const { exitCode, groups } = await intakeUpgrade('--dry-run');
    expect(exitCode).toBe(0);
    expect(groups).toEqual([
      { status: 'chunking', becomes: 'unfinished', documents: 1 },
      { status: 'chunks_stored', becomes: 'unfinished', documents: 1 },
      { status: 'complete', becomes: 'not-proven', documents: 2 },
      { status: 'complete', becomes: 'of-another', documents: 1 },
      { status: 'complete', becomes: 'searchable', documents: 4 },
      { status: 'duplicate', becomes: 'ended', documents: 1 },
      { status: 'duplicate', becomes: 'searchable', documents: 1 },
      { status: 'embedding_in_progress', becomes: 'unfinished', documents: 1 },
      { status: 'embedding_queued', becomes: 'unfinished', documents: 1 },
      { status: 'embeddings_stored', becomes: 'unfinished', documents: 1 },
      { status: 'failed_chunking', becomes: 'ended', documents: 1 },
      { status: 'failed_embedding', becomes: 'ended', documents: 1 },
      { status: 'failed_parse', becomes: 'ended', documents: 2 },
      { status: 'none', becomes: 'unknown', documents: 2 },
      { status: 'parse_queued', becomes: 'unfinished', documents: 1 },
      { status: 'parse_validated', becomes: 'unfinished', documents: 1 },
      { status: 'parsed', becomes: 'unfinished', documents: 1 },
      { status: 'uploaded', becomes: 'no-hash', documents: 1 },
      { status: 'uploaded', becomes: 'unfinished', documents: 5 },
    ]);
    expect(await original()).toBe(before);
    const { rows } = await database.pool.query(`select to_regnamespace('intake') as schema`);
    expect(rows).toEqual([{ schema: null }]);
  });

  it('is refused while the original’s worker writes', async () => {
    const worker = new pg.Client(database.url);
    await worker.connect();
    await worker.query('begin; update upload_pipeline.upload_jobs set retry_count = 1');
    const { exitCode, error } = await intakeUpgrade();
    await worker.query('rollback');
    await worker.end();
    expect({ exitCode, code: error?.code }).toEqual({ exitCode: 4, code: 'UPGRADE_REFUSED' });
    expect(await original()).toBe(before);
  });

  it('takes over every document, and readers miss none meanwhile', async () => {
    const reader = readOn(alice, 'The copayment of finished');
    const { exitCode, originals, markdowns } = await intakeUpgrade();
    const answers = await reader.stop();
    expect(exitCode).toBe(0);
    expect(new Set(answers)).toEqual(new Set(['The copayment of finished is 20 dollars.']));
    // Searchable, failed and duplicate ones; of two the bytes never came.
    expect(originals).toEqual({ proven: 8, absent: 2, different: 0 });
    expect(markdowns).toEqual({ proven: 5, absent: 0, different: 0 });
    expect(await pendingMigrations(database.pool)).toEqual([]);
    const taken = await statuses();
    expect(taken.size).toBe(installation.length + 1);
    for (const { word, status } of installation) {
      const ended = status === 'duplicate' || status?.startsWith('failed') === true;
      const stays = ended || (status === 'complete' && !unfinished.includes(word));
      expect([word, taken.get(word)]).toEqual([word, stays ? status : 'awaiting_upload']);
    }
  });

  it('shows people’s words to nobody: of a failure its code alone is kept', async () => {
    const { rows } = await database.pool.query(
      `select distinct error_code, error_detail from intake.attempts where error_code is not null order by 2`,
    );
    expect(rows).toEqual([
      { error_code: 'FAILED_BEFORE_UPGRADE', error_detail: 'STORAGE_ACCESS_ERROR' },
      { error_code: 'FAILED_BEFORE_UPGRADE', error_detail: null },
    ]);
  });

  it('changes nothing when it is run again', async () => {
    const once = await intake();
    const { exitCode, groups } = await intakeUpgrade();
    expect(exitCode).toBe(0);
    expect(new Set(groups.map(({ becomes }) => becomes))).toEqual(new Set(['present']));
    expect(await intake()).toBe(once);
  });

  it('refuses what the original’s worker would still write', async () => {
    const write = database.pool.query(`update upload_pipeline.upload_jobs set status = 'parsed'`);
    await expect(write).rejects.toThrow(/cannot update view/);
  });

  it('is gone back from: the original stands where it stood, and works', async () => {
    const { exitCode } = await intakeUpgrade('--roll-back');
    expect(exitCode).toBe(0);
    expect(await original()).toBe(before);
    expect(await retrieve(database.pool, bob, 'The copayment of his')).not.toEqual([]);
    for (const { rawKey, content } of withBytes()) {
      expect((await objectStore.stat(rawKey)).sizeBytes).toBe(Buffer.byteLength(content));
    }
    await database.pool.query(`update upload_pipeline.upload_jobs set retry_count = 2`);
    await bring(alice, { word: 'after the way back', status: 'parsed', vectors: 'none' });
    expect(await intakeUpgrade('--roll-back')).toMatchObject({
      error: { code: 'UPGRADE_REFUSED' },
    });
  });

  it('is made again: what the original took meanwhile comes along', async () => {
    const { groups } = await intakeUpgrade();
    expect(groups.filter(({ becomes }) => becomes !== 'present')).toEqual([
      { status: 'parsed', becomes: 'unfinished', documents: 1 },
    ]);
    expect(await retrieve(database.pool, bob, 'The copayment of his')).not.toEqual([]);
    expect((await statuses()).get('after the way back')).toBe('awaiting_upload');
  });
});

function withBytes(): readonly OldDocument[] {
  const absent = installation.filter(({ bytes }) => bytes === 'absent').map(({ word }) => word);
  return [...old].filter(([word]) => !absent.includes(word)).map(([, document]) => document);
}

/** Asks as fast as it is answered. That the relation is not there for a moment is an error, and no wrong answer. */
function readOn(owner: OwnerId, question: string) {
  const answers: (string | undefined)[] = [];
  let stopped = false;
  const reading = (async () => {
    while (!stopped) {
      const found = await retrieve(database.pool, owner, question).catch(() => ['an error']);
      if (found[0] !== 'an error') answers.push(found[0]);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await reading;
      return answers;
    },
  };
}

describe('on the road', () => {
  let road: Road;
  let person: Person;
  beforeAll(async () => {
    const environment = { EMBEDDINGS_MODEL: 'deterministic-1536', EMBEDDINGS_DIMENSIONS: '1536' };
    road = await startRoad({ environment, ground: { database, standIns } });
    await road.startWorker();
    person = await road.person(alice);
  });
  afterAll(() => road.close());

  it('every document that the original had not finished is completed from its bytes', async () => {
    for (const word of [...unfinished, 'after the way back']) {
      const { status } = await reach(person, idOf(word), 'complete');
      expect([word, status]).toEqual([word, 'complete']);
    }
    const found = await retrieve(database.pool, alice, 'The copayment of capitals');
    expect(found[0]).toContain('The copayment of capitals is 20 dollars.');
  });

  it('bytes that come to the original’s key afterwards are found', async () => {
    const { id, rawKey, content } = old.get('sent late') as OldDocument;
    await objectStore.put(rawKey, Buffer.from(content), { contentType: 'text/markdown' });
    await person.api.confirmUpload(id);
    await reach(person, id, 'complete');
  });

  it.each(['never sent', 'elsewhere'])('%s is waited for', async (word) => {
    await vi.waitFor(async () => {
      const { status, waiting } = await person.api.document(idOf(word));
      expect([status, waiting?.code]).toEqual(['awaiting_upload', 'STORAGE_OBJECT_ABSENT']);
    }, 45_000);
  });

  it('bytes without a hash are asked for again', async () => {
    const { error } = await reach(person, idOf('hashless'), 'upload_rejected');
    expect(error?.code).toBe('CHECKSUM_MISMATCH');
  });

  it.each(['failed_parse', 'failed_chunking', 'failed_embedding'])(
    'what ended as %s can be tried again',
    async (word) => {
      expect((await person.api.document(idOf(word))).error?.code).toBe('FAILED_BEFORE_UPGRADE');
      await person.api.retry(idOf(word));
      await reach(person, idOf(word), 'complete');
    },
  );

  it('what failed without its bytes can be uploaded again', async () => {
    const { id, content } = old.get('unread') as OldDocument;
    await expect(person.api.retry(id)).rejects.toMatchObject({ code: 'NOT_POSSIBLE_NOW' });
    const file = { name: 'unread.md', type: 'text/markdown', content };
    const { documentId, uploadUrl } = await person.api.declareUpload({
      name: file.name,
      type: file.type,
      sizeBytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(documentId).toBe(id);
    await put(uploadUrl, file);
    await person.api.confirmUpload(id);
    await reach(person, id, 'complete');
  });

  it('what was complete is searched and downloaded as any other', async () => {
    const { id, content } = old.get('finished') as OldDocument;
    const { passages } = await person.api.search({ query: 'copayment', k: 1, documentIds: [id] });
    expect(passages[0]).toMatchObject({
      documentId: id,
      text: expect.stringContaining('finished'),
    });
    for (const place of ['original', 'markdown']) {
      const answer = await fetch(`${road.url}/v1/documents/${id}/${place}`, {
        headers: { authorization: `Bearer ${person.token}` },
      });
      expect([place, await answer.text()]).toEqual([place, content]);
    }
  });

  it('nothing that the original wrote is removed, until its document is deleted', async () => {
    for (const { rawKey } of withBytes()) await objectStore.stat(rawKey);
    const { id, rawKey, parsedKey } = old.get('finished') as OldDocument;
    await person.api.delete(id);
    for (const key of [rawKey, parsedKey]) {
      await vi.waitFor(
        () =>
          expect(objectStore.stat(key)).rejects.toMatchObject({ code: 'STORAGE_OBJECT_ABSENT' }),
        45_000,
      );
    }
    const { rows } = await database.pool.query(
      `select (select count(*)::int from upload_pipeline_original.document_chunks where document_id = $1) as chunks,
              (select count(*)::int from upload_pipeline_original.documents where document_id = $1) as documents`,
      [id],
    );
    expect(rows).toEqual([{ chunks: 0, documents: 0 }]);
    const { groups } = await intakeUpgrade();
    expect(new Set(groups.map(({ becomes }) => becomes))).toEqual(new Set(['present']));
  });
});
