/** The stand-in as a child process: started by its entry, killed at any moment, started again on the same folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureBucket } from '../../../src/storage/ensure-bucket.ts';
import { SupabaseObjectStore } from '../../../src/storage/supabase-object-store.ts';

const entry = new URL('../../../src/dev/storage-stand-in/main.ts', import.meta.url).pathname;
const serviceRoleKey = 'service-key-of-this-test';
const pdf = { contentType: 'application/pdf' };

describe('storage stand-in as a process', { timeout: 30_000 }, () => {
  let dataFolder: string;
  let child: ChildProcess;

  async function start(): Promise<{ url: string; serviceRoleKey: string; bucket: string }> {
    const options = JSON.stringify({ dataFolder, serviceKey: serviceRoleKey });
    child = spawn(process.execPath, [entry], {
      env: { ...process.env, STAND_IN_OPTIONS: options },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('no output');
    const [line] = await once(createInterface(child.stdout), 'line');
    const { url } = JSON.parse(line) as { url: string };
    return { url, serviceRoleKey, bucket: 'files' };
  }

  async function stop(signal: NodeJS.Signals): Promise<unknown> {
    const exited = once(child, 'exit');
    child.kill(signal);
    return exited;
  }

  beforeEach(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'storage-stand-in-'));
  });
  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    await rm(dataFolder, { recursive: true });
  });

  it('says where it listens and ends in order on SIGTERM', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/__ledger`)).status).toBe(200);
    expect(await stop('SIGTERM')).toEqual([0, null]);
  });

  it('keeps what it has answered for when it is killed, and clears what it has not', async () => {
    const first = await start();
    await ensureBucket(first, { maxFileBytes: 1000 });
    await new SupabaseObjectStore(first).put('a/b', Buffer.from('kept'), pdf);
    const { url: signed } = await new SupabaseObjectStore(first).signUpload('a/later');
    await stop('SIGKILL');
    // What a kill between two of its steps would leave.
    const folder = join(dataFolder, 'files');
    await writeFile(join(folder, 'incoming', 'half-written'), 'x');
    await writeFile(join(folder, 'bytes', 'without-a-row'), 'x');

    const second = await start();
    const store = new SupabaseObjectStore(second);
    expect(await store.list('a/')).toEqual(['a/b']);
    expect(await store.stat('a/b')).toMatchObject({ sizeBytes: 4, ...pdf });
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
    expect(await readdir(join(folder, 'bytes'))).toHaveLength(1);

    const late = signed.replace(first.url, second.url);
    expect((await fetch(late, { method: 'PUT', body: 'late' })).status).toBe(200);
  });
});
