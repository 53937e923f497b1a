/** `intake up` as a process of its own, in a folder of its own, on machines and settings that will not do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'intake-up-'));
  for (const part of ['package.json', 'activities', 'examples', 'src', 'supabase', 'workflows']) {
    cpSync(part, join(clone, part), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
});
afterEach(() => rmSync(clone, { recursive: true }));

/** Its programs are not installed there. */
const given = {
  DATABASE_URL: 'postgres://127.0.0.1:9/intake',
  TEMPORAL_ADDRESS: '127.0.0.1:9',
  EMBEDDINGS_URL: 'http://127.0.0.1:9/v1',
  EMBEDDINGS_API_KEY: 'key',
};

async function run(
  file: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(clone, file), ...argv],
    { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, exitCode };
}

const up = (argv: readonly string[], environment: Readonly<Record<string, string>>) =>
  run('src/cli/main.ts', ['up', '--once', ...argv], environment);

test('a port that another program has is named, and what to do', async () => {
  const other = createServer().listen(0);
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { stdout, stderr, exitCode } = await up(['--port', `${port}`], given);
  expect(stdout).toContain(`Not possible. API_PORT: port ${port} is taken by another program`);
  expect(stdout).toContain('Ask for another one, or leave it out.');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 2 });
});

test('everything that is missing is told at once', async () => {
  const { stdout, exitCode } = await up([], {
    ...given,
    DATABASE_URL: '',
    SUPABASE_URL: 'https://project.supabase.co',
  });
  expect(stdout).toContain('Not possible. Postgres is not installed');
  expect(stdout).toContain('SUPABASE_SERVICE_ROLE_KEY: not set');
  expect(exitCode).toBe(2);
});

test.each(['src/api/main.ts', 'src/worker/main.ts'])(
  '%s without configuration lists what it needs, and no stack',
  async (file) => {
    const { stderr, exitCode } = await run(file, [], {});
    for (const key of [
      'DATABASE_URL',
      'SUPABASE_URL',
      'LLAMA_CLOUD_API_KEY',
      'WEBHOOK_TOKEN_KEY',
    ]) {
      expect(stderr).toContain(`${key}: not set\n`);
    }
    expect(stderr).not.toMatch(/^ +at /m);
    expect(exitCode).toBe(1);
  },
);
