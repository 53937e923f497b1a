/** The command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { exitCodeMeanings } from '../../../src/cli/exit-codes.ts';
import { documentOf, newDocumentId } from '../../support/api-under-test.ts';
import { type Outcome, serveApi } from '../../support/cli.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(...argv: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...argv],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.push(child);
  return child;
}

async function outcomeOf(child: ReturnType<typeof start>): Promise<Outcome> {
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, exitCode };
}

test('help lists every command, every exit code and the environment', async () => {
  const { stdout, stderr, exitCode } = await outcomeOf(start('--help'));
  const commands = ['up', 'ingest', 'status', 'watch', 'search', 'list', 'retry', 'cancel'];
  for (const command of [...commands, 'delete', 'migrate']) {
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  }
  for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
    expect(stdout).toMatch(new RegExp(`^  ${code} +${meaning.slice(0, 8)}`, 'm'));
  }
  expect(stdout).toContain('INTAKE_URL');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
});

test('an unknown command is misused, and the way to help is told', async () => {
  const { stdout, stderr, exitCode } = await outcomeOf(start('inject'));
  expect(stderr).toContain("unknown command 'inject'");
  expect(stderr).toContain('intake help');
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
});

test('Ctrl-C leaves the documents running and says how they stand, however often it comes', async () => {
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
  const child = start('watch', id);
  child.stderr.once('data', () => {
    child.kill('SIGINT');
    child.kill('SIGINT');
  });
  const { stdout, stderr, exitCode } = await outcomeOf(child);
  expect(exitCode).toBe(130);
  expect(stderr).toContain('goes on without you');
  expect(stdout).toContain(`Look again: intake watch ${id}`);
  expect(commanded).toEqual([]);
});

test('a result that cannot be written is a fault', async () => {
  const readOnly = openSync('package.json', 'r');
  onTestFinished(() => closeSync(readOnly));
  const child = spawn(process.execPath, ['src/cli/main.ts', '--version'], {
    stdio: ['ignore', readOnly, 'ignore'],
  });
  expect(await once(child, 'exit')).toEqual([1, null]);
});

test('a reader that has seen enough is no fault', async () => {
  const documents = Array.from({ length: 100 }, () => documentOf(newDocumentId()));
  await serveApi({ documents: { listDocuments: async () => ({ documents, next: undefined }) } });
  const child = start('list');
  child.stdout.destroy();
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
});
