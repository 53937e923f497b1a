/** `intake doctor` on real parts: healthy, and with every set-up broken that it is there to name. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { msToTs } from '@temporalio/common/lib/time.js';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  test,
  vi,
} from 'vitest';
import { doctorCommand } from '../../src/cli/commands/doctor.ts';
import type { Finding } from '../../src/cli/doctor/examine.ts';
import type { FaultRule } from '../../src/dev/fault-rules.ts';
import { ensureSchedules, scheduleIds } from '../../src/temporal/schedules.ts';
import { run } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Road, startRoad } from '../support/road.ts';
import { untilTrue } from '../support/until.ts';

/** A profile that says nothing. */
const profile = join(tmpdir(), `temporal-${randomUUID()}.toml`);
let road: Road;
beforeAll(async () => {
  await writeFile(profile, '[profile.default]\n');
  road = await startRoad();
  await road.startWorker();
  await ensureSchedules(road.temporal.client, {
    taskQueue: road.config.TASK_QUEUE,
    everyMs: 3_600_000,
    thoroughEveryMs: 86_400_000,
  });
});
beforeEach(() => {
  give(road.environment);
  give({
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_CONFIG_FILE: profile,
    INTAKE_URL: road.url,
  });
});
afterEach(() => road.faults.storage.clear());
afterAll(async () => {
  const { schedule } = road.temporal.client;
  for (const id of Object.values(scheduleIds(road.config.TASK_QUEUE))) {
    await schedule.getHandle(id).delete();
  }
  await road.close();
  await rm(profile);
});

type Settings = Readonly<Record<string, string>>;

function give(settings: Settings): void {
  for (const [key, value] of Object.entries(settings)) vi.stubEnv(key, value);
}

async function examine() {
  const { exitCode, stdout } = await run(doctorCommand, '--json');
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: readonly Finding[] };
  const ill = checks.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'not tried');
  const wrong = Object.fromEntries(ill.map(({ name, outcome }) => [name, outcome]));
  const mend = ill.map((finding) => ('mend' in finding ? finding.mend : '')).join('\n');
  return { exitCode, ok, wrong, mend, checks, stdout };
}

test('all is well, every check says what it saw, and nothing is left behind', async () => {
  const { exitCode, stdout } = await run(doctorCommand);
  expect(stdout).not.toMatch(/wrong|not tried/);
  expect(exitCode).toBe(0);
  expect(stdout.match(/^ok/gm)).toHaveLength(24);
  expect(await road.shared.objectStore.list('doctor/')).toEqual([]);
});

const nobody = '127.0.0.1:9';
const stranger = randomUUID();
const databaseUrl = (change: (url: URL) => void) => {
  const url = new URL(road.config.DATABASE_URL);
  change(url);
  return { DATABASE_URL: url.href };
};
/** What stands only in settings: no password and no key of them may be shown. */
const brokenSettings: readonly (readonly [
  string,
  () => Settings,
  Readonly<Record<string, string>>,
  string,
])[] = [
  [
    'a key that is missing',
    () => ({ LLAMA_CLOUD_API_KEY: '' }),
    { configuration: 'invalid' },
    'README',
  ],
  [
    'a wrong password of the database',
    () => databaseUrl((url) => (url.password = stranger)),
    { 'database: connection': 'forbidden' },
    'password',
  ],
  [
    'a database that is not there',
    () => databaseUrl((url) => (url.pathname = '/nowhere')),
    { 'database: connection': 'absent' },
    'name',
  ],
  [
    'a port where no database listens',
    () => databaseUrl((url) => (url.host = nobody)),
    { 'database: connection': 'unavailable' },
    'host and port',
  ],
  [
    'a wrong service key',
    () => ({ SUPABASE_SERVICE_ROLE_KEY: `of-another-project-${stranger}` }),
    { 'storage: bucket': 'forbidden', 'storage: write': 'forbidden' },
    'SUPABASE_SERVICE_ROLE_KEY',
  ],
  [
    'a bucket that is not there',
    () => ({ SUPABASE_BUCKET: 'nowhere' }),
    { 'storage: bucket': 'forbidden', 'storage: write': 'forbidden' },
    'SUPABASE_BUCKET',
  ],
  [
    'a storage where nobody listens',
    () => ({ SUPABASE_URL: `http://${nobody}` }),
    { 'storage: bucket': 'unavailable', 'storage: write': 'unavailable' },
    'SUPABASE_URL',
  ],
  [
    'a bucket that takes less than we promise',
    () => ({ MAX_FILE_BYTES: '104857600' }),
    { 'storage: bucket': 'too small' },
    'MAX_FILE_BYTES',
  ],
  [
    'a namespace that is not there',
    () => ({ TEMPORAL_NAMESPACE: 'nowhere' }),
    { 'temporal: namespace': 'absent' },
    'TEMPORAL_NAMESPACE',
  ],
  [
    'a Temporal where nobody listens',
    () => ({ TEMPORAL_ADDRESS: nobody }),
    { 'temporal: namespace': 'unavailable' },
    'TEMPORAL_ADDRESS',
  ],
  [
    'a queue that no worker polls',
    () => ({ TASK_QUEUE: `another-${stranger}` }),
    { 'temporal: pollers': 'absent', 'temporal: schedules': 'absent' },
    'TASK_QUEUE',
  ],
  [
    'a wrong key of the parser',
    () => ({ LLAMA_CLOUD_API_KEY: `llx-${stranger}` }),
    { 'parser: credentials': 'forbidden' },
    'LLAMA_CLOUD_API_KEY',
  ],
  [
    'a parser where nobody listens',
    () => ({ LLAMA_CLOUD_BASE_URL: `http://${nobody}` }),
    { 'parser: credentials': 'unavailable' },
    'LLAMA_CLOUD_BASE_URL',
  ],
  [
    'a wrong key of the embedder',
    () => ({ EMBEDDINGS_API_KEY: stranger }),
    { 'embedder: credentials': 'forbidden' },
    'EMBEDDINGS_API_KEY',
  ],
  [
    'a model that the embedder does not offer',
    () => ({ EMBEDDINGS_MODEL: 'text-embedding-of-yesterday' }),
    { 'embedder: credentials': 'absent' },
    'EMBEDDINGS_MODEL',
  ],
  [
    'an address of the embedder without its version',
    () => ({ EMBEDDINGS_URL: road.config.EMBEDDINGS_URL.replace('/v1', '') }),
    { 'embedder: credentials': 'refused' },
    'with its version',
  ],
  [
    'a tokenizer that is not there',
    () => ({ EMBEDDINGS_TOKENIZER: '/nowhere/tokenizer.json' }),
    { 'embedder: tokenizer': 'absent' },
    'EMBEDDINGS_TOKENIZER',
  ],
  [
    'an address of the key set where there is none',
    () => ({ SUPABASE_JWKS_URL: `${road.config.SUPABASE_URL}/auth/v1/jwks` }),
    { 'identity: keys': 'absent' },
    'SUPABASE_JWKS_URL',
  ],
  [
    'a callback on loopback for a parser elsewhere',
    () => ({ LLAMA_CLOUD_BASE_URL: 'https://parser.invalid' }),
    { 'parser: credentials': 'unavailable', 'callback: URL': 'not public' },
    'PUBLIC_URL',
  ],
  [
    'a callback where nobody listens',
    () => ({ PUBLIC_URL: `http://${nobody}` }),
    { 'callback: webhook': 'unavailable' },
    'PUBLIC_URL',
  ],
  [
    'another signing secret than the API has',
    () => ({ WEBHOOK_SIGNING_SECRET: `signing-${stranger}` }),
    { 'callback: webhook': 'forbidden' },
    'WEBHOOK_SIGNING_SECRET',
  ],
  [
    'another token key than the API has',
    () => ({ WEBHOOK_TOKEN_KEY: `token-key-${stranger}` }),
    { 'callback: webhook': 'absent' },
    'WEBHOOK_TOKEN_KEY',
  ],
  [
    'an API where nobody listens',
    () => ({ INTAKE_URL: `http://${nobody}` }),
    { 'api: ready': 'unavailable' },
    'INTAKE_URL',
  ],
  [
    'an address of the API where something else answers',
    () => ({ INTAKE_URL: road.config.SUPABASE_URL }),
    { 'api: ready': 'refused' },
    'INTAKE_URL',
  ],
];

test.each(brokenSettings)('names %s', async (_what, settings, wrong, mend) => {
  give(settings());
  const seen = await examine();
  expect(seen.wrong).toEqual(wrong);
  expect(seen.mend).toContain(mend);
  expect(seen.mend).not.toContain('not foreseen');
  expect(seen.exitCode).toBe('configuration' in wrong ? 2 : 4);
  expect(seen.stdout.replaceAll(`another-${stranger}`, '')).not.toContain(stranger);
});

describe('names a database', () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await createTestDatabase();
  });
  afterAll(() => other.close());
  const elsewhere = 'database: one for API and workers';

  test('other than that of API and worker', async () => {
    give({ DATABASE_URL: other.url });
    const { wrong, mend } = await examine();
    expect(wrong).toEqual({ [elsewhere]: 'different' });
    expect(mend).toContain('the same DATABASE_URL');
  });

  test('whose vector index is gone', async () => {
    await other.pool.query('drop index intake.vectors_384_nearest');
    give({ DATABASE_URL: other.url });
    expect((await examine()).wrong).toMatchObject({ 'database: vector index': 'absent' });
  });

  test('whose schema is behind', async () => {
    await other.pool.query(
      'delete from intake_migrations.applied where name = (select max(name) from intake_migrations.applied)',
    );
    give({ DATABASE_URL: other.url });
    const { wrong, mend } = await examine();
    expect(wrong).toMatchObject({ 'database: schema': 'outdated' });
    expect(mend).toContain('intake migrate');
  });

  test('without pgvector', async () => {
    const empty = `empty_${randomUUID().replaceAll('-', '')}`;
    await road.database.pool.query(`create database ${empty}`);
    give(databaseUrl((url) => (url.pathname = `/${empty}`)));
    const { wrong, mend } = await examine();
    expect(wrong).toMatchObject({ 'database: pgvector': 'absent', 'database: schema': 'outdated' });
    expect(mend).toContain('create extension vector');
    await road.database.pool.query(`drop database ${empty}`);
  });

  test('whose user may not read as callers do', async () => {
    const { pool } = road.database;
    const user = `u${randomUUID().replaceAll('-', '')}`;
    await pool.query(`create role ${user} login password '${stranger}'`);
    await pool.query(`grant usage on schema intake_migrations to ${user}`);
    await pool.query(`grant select on intake_migrations.applied to ${user}`);
    give(databaseUrl((url) => Object.assign(url, { username: user, password: stranger })));
    const { wrong, mend } = await examine();
    expect(wrong).toEqual({ 'database: row-level security': 'forbidden' });
    expect(mend).toContain('grant authenticated to');
    await pool.query(`drop owned by ${user}; drop role ${user}`);
  });
});

describe('names a Temporal', () => {
  test('whose search attributes are missing', async () => {
    const namespace = `bare-${randomUUID()}`;
    const { workflowService } = road.temporal.client;
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await untilTrue('the namespace is known', async () => {
      const known = workflowService.listWorkflowExecutions({ namespace });
      return await known.then(
        () => true,
        () => false,
      );
    });
    give({ TEMPORAL_NAMESPACE: namespace });
    const { wrong, mend } = await examine();
    expect(wrong).toMatchObject({ 'temporal: search attributes': 'absent' });
    expect(mend).toContain('search-attribute create');
  });

  test('whose schedules are paused', async () => {
    const { hour } = scheduleIds(road.config.TASK_QUEUE);
    const schedule = road.temporal.client.schedule.getHandle(hour);
    await schedule.pause('while we restore');
    const { wrong, checks } = await examine();
    await schedule.unpause();
    expect(wrong).toEqual({ 'temporal: schedules': 'paused' });
    expect(JSON.stringify(checks)).toContain('while we restore');
  });
});

describe('names a storage', () => {
  const bucket = async (options: { public: boolean; allowedMimeTypes?: string[] }) => {
    const name = `b-${randomUUID()}`;
    const { SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY } = road.config;
    const { storage } = createClient(SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY);
    expect((await storage.createBucket(name, options)).error).toBeNull();
    give({ SUPABASE_BUCKET: name });
  };

  test('whose bucket is public', async () => {
    await bucket({ public: true });
    const { wrong, mend } = await examine();
    expect(wrong).toEqual({ 'storage: bucket': 'too open' });
    expect(mend).toContain('private');
  });

  test('whose bucket does not take all types', async () => {
    await bucket({ public: false, allowedMimeTypes: ['application/pdf', 'text/*'] });
    const { wrong, checks } = await examine();
    expect(wrong).toEqual({ 'storage: bucket': 'refused' });
    expect(JSON.stringify(checks)).toContain('wordprocessingml');
  });

  const forbidden = { kind: 'named', name: 'forbid-as-missing' } as const;
  const down = { kind: 'answer', status: 503, body: '<html>' } as const;
  test.each<readonly [string, Readonly<Record<string, string>>, readonly FaultRule[]]>([
    [
      'that refuses a read in the dress of a missing object',
      { 'storage: read': 'forbidden' },
      [
        { operation: 'object.read', effect: forbidden },
        { operation: 'bucket.read', skip: 1, effect: forbidden },
      ],
    ],
    [
      'that does not show what it took',
      { 'storage: read': 'absent' },
      [{ operation: 'object.read', effect: { kind: 'named', name: 'hide' } }],
    ],
    [
      'that changes bytes',
      { 'storage: compare': 'corrupt' },
      [{ operation: 'object.read', effect: { kind: 'named', name: 'change', value: 7 } }],
    ],
    [
      'that does not delete',
      { 'storage: delete': 'unavailable' },
      [{ operation: 'object.remove', effect: down }],
    ],
    [
      'that honours no signed URL',
      { 'storage: signed upload': 'refused' },
      [{ operation: 'object.signed-upload', effect: { ...down, status: 403 } }],
    ],
  ])('%s', async (_what, wrong, rules) => {
    await road.faults.storage.add(...rules);
    expect((await examine()).wrong).toEqual(wrong);
  });
});
