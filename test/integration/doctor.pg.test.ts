/** `intake doctor` against the storage stand-in, healthy and with every fault that it is there to name. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { doctorCommand } from '../../src/cli/commands/doctor.ts';
import type { Finding } from '../../src/cli/doctor/checks.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import type { StandIn } from '../../src/dev/run-stand-in.ts';
import { startStorageStandIn } from '../../src/dev/storage-stand-in/storage-stand-in.ts';
import { ensureBucket } from '../../src/storage/ensure-bucket.ts';
import { run } from '../support/cli.ts';

const serviceKey = `service-${randomUUID()}`;
const anonKey = `anonymous-${randomUUID()}`;

let folder: string;
let storage: StandIn;
let faults: FaultClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'intake-doctor-'));
  storage = await startStorageStandIn({ dataFolder: folder, serviceKey, anonKey });
  faults = createFaultClient(storage.url);
  const bucket = { url: storage.url, serviceRoleKey: serviceKey, bucket: 'files' };
  await ensureBucket(bucket, { maxFileBytes: 52_428_800 });
  vi.stubEnv('SUPABASE_URL', storage.url);
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', serviceKey);
  vi.stubEnv('SUPABASE_BUCKET', 'files');
});
afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true });
});

async function examine(): Promise<{
  exitCode: number;
  outcomes: readonly string[];
  checks: readonly Finding[];
}> {
  const { exitCode, stdout } = await run(doctorCommand, '--json');
  const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
  return { exitCode, outcomes: checks.map(({ outcome }) => outcome), checks };
}

test('all is well, and nothing is left behind', async () => {
  const { exitCode, stdout } = await run(doctorCommand);
  expect(exitCode).toBe(0);
  expect(stdout.match(/^ok +storage: \w+/gm)).toEqual([
    'ok     storage: write',
    'ok     storage: read',
    'ok     storage: compare',
    'ok     storage: delete',
  ]);
  expect(await readdir(join(folder, 'files', 'objects'))).toEqual([]);
});

describe('names what is wrong', () => {
  const refused = ['forbidden', 'not tried', 'not tried', 'not tried'];

  test.each([
    ['a wrong key', 'SUPABASE_SERVICE_ROLE_KEY', `of-another-project-${randomUUID()}`],
    ['the anon key', 'SUPABASE_SERVICE_ROLE_KEY', anonKey],
    ['a missing bucket', 'SUPABASE_BUCKET', 'nowhere'],
  ])('%s', async (_what, variable, value) => {
    vi.stubEnv(variable, value);
    const { exitCode, outcomes, checks } = await examine();
    expect([exitCode, outcomes]).toEqual([4, refused]);
    expect(checks[0]).toMatchObject({ mend: expect.stringContaining(variable) });
    expect(JSON.stringify(checks)).not.toContain(value);
  });

  test('a URL where nobody listens', async () => {
    vi.stubEnv('SUPABASE_URL', 'http://127.0.0.1:9');
    const { exitCode, outcomes, checks } = await examine();
    expect([exitCode, outcomes[0]]).toEqual([4, 'unavailable']);
    expect(checks[0]).toMatchObject({ mend: expect.stringContaining('SUPABASE_URL') });
  });

  test('a read that is forbidden, dressed as missing, and what was written goes all the same', async () => {
    const effect = { kind: 'named', name: 'forbid-as-missing' } as const;
    await faults.add({ operation: 'object.read', effect }, { operation: 'bucket.read', effect });
    const { exitCode, outcomes } = await examine();
    expect([exitCode, outcomes]).toEqual([4, ['ok', 'forbidden', 'not tried', 'ok']]);
    expect(await readdir(join(folder, 'files', 'objects'))).toEqual([]);
  });

  test('an object that is not shown', async () => {
    await faults.add({ operation: 'object.read', effect: { kind: 'named', name: 'hide' } });
    expect((await examine()).outcomes).toEqual(['ok', 'absent', 'not tried', 'ok']);
  });

  test('other bytes than were written', async () => {
    await faults.add({
      operation: 'object.read',
      effect: { kind: 'named', name: 'change', value: 7 },
    });
    const { exitCode, outcomes } = await examine();
    expect([exitCode, outcomes]).toEqual([4, ['ok', 'ok', 'corrupt', 'ok']]);
  });

  test('a deletion that is refused', async () => {
    const effect = { kind: 'answer', status: 503, body: '<html>' } as const;
    await faults.add({ operation: 'object.remove', effect });
    expect((await examine()).outcomes).toEqual(['ok', 'ok', 'ok', 'unavailable']);
  });

  test('settings that are missing', async () => {
    vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', '');
    const { exitCode, stderr } = await run(doctorCommand);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('SUPABASE_SERVICE_ROLE_KEY: not set');
  });
});
