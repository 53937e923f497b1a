/** The command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { exitCodeMeanings } from '../../../src/cli/exit-codes.ts';
import { documentOf, newDocumentId } from '../../support/api-under-test.ts';
import { type Outcome, serveApi } from '../../support/cli.ts';

const running = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(...argv: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...argv],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  const ended = Promise.all([text(child.stdout), once(child, 'close')]).then(([stdout]) => {
    running.delete(child);
    return { stdout, exitCode: child.exitCode };
  });
  return { child, ended };
}

async function runMain(...argv: readonly string[]): Promise<Outcome> {
  const { child, ended } = start(...argv);
  const [stderr, { stdout, exitCode }] = await Promise.all([text(child.stderr), ended]);
  return { stdout, stderr, exitCode: exitCode ?? -1 };
}

const commands = [
  ...['up', 'ingest', 'status', 'watch', 'search'],
  ...['list', 'retry', 'cancel', 'delete', 'migrate'],
];

test('help lists every command, every exit code and the environment', async () => {
  const { stdout, stderr, exitCode } = await runMain('--help');
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
    expect(stdout).toMatch(new RegExp(`^  ${code} +${meaning.slice(0, 8)}`, 'm'));
  }
  expect(stdout).toContain('INTAKE_URL');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
});

test.each(commands)('help %s has examples and --json', async (command) => {
  const { stdout, exitCode } = await runMain('help', command);
  expect(stdout).toMatch(new RegExp(`Examples:\n  .*intake ${command}`));
  expect(stdout).toContain('--json');
  expect(stdout).toContain('Exit codes');
  expect(exitCode).toBe(0);
});

test('an unknown command is misused, and the way to help is told', async () => {
  const { stdout, stderr, exitCode } = await runMain('inject');
  expect(stderr).toContain("unknown command 'inject'");
  expect(stderr).toContain('intake help');
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
});

test('migrate names the setting that it needs', async () => {
  const { stdout, exitCode } = await runMain('migrate', '--json');
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'CONFIGURATION_INVALID',
    detail: expect.stringContaining('DATABASE_URL'),
  });
  expect(exitCode).toBe(2);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s leaves the documents running and says how they stand',
  async (signal) => {
    const id = newDocumentId();
    const commanded: string[] = [];
    await serveApi({
      documents: {
        documentDetail: async () => documentOf(id),
        cancelDocument: async (_caller, documentId) => {
          commanded.push(documentId);
          return { documentId, status: 'cancelled' };
        },
      },
    });
    const { child, ended } = start('watch', id);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (stderr.includes('parsing')) child.kill(signal);
    });
    const { stdout, exitCode } = await ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('goes on without you');
    expect(stdout).toContain(`Look again: intake watch ${id}`);
    expect(commanded).toEqual([]);
  },
);

test('a reader that has seen enough is no fault', async () => {
  const documents = Array.from({ length: 100 }, () => documentOf(newDocumentId()));
  await serveApi({
    documents: { listDocuments: async () => ({ documents, next: undefined }) },
  });
  const { child } = start('list');
  child.stdout.destroy();
  const stderr = await text(child.stderr);
  expect(stderr).toBe('');
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
});
