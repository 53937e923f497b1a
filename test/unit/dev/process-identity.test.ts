import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { identifyProcess, stillRuns } from '../../../src/dev/process-identity.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function sleeper(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)', 'a (b) c'], {
    stdio: 'ignore',
  });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

test('a running process is recognized by pid, start and command', async () => {
  const identity = identifyProcess(await sleeper());
  if (identity === undefined) throw new Error('not found');
  expect(identity.command).toContain('a (b) c');
  expect(stillRuns(identity)).toBe(true);
});

test('another process under the same pid is no match', async () => {
  const identity = identifyProcess(await sleeper());
  if (identity === undefined) throw new Error('not found');
  expect(stillRuns({ ...identity, startedAt: `${identity.startedAt}0` })).toBe(false);
  expect(stillRuns({ ...identity, command: 'postgres -D elsewhere' })).toBe(false);
});

test('a wrapper that became its program is still the same process', async () => {
  const identity = identifyProcess(await sleeper());
  if (identity === undefined) throw new Error('not found');
  expect(stillRuns({ ...identity, command: `unshare --user ${identity.command}` })).toBe(true);
});

test('a process that ended runs no more', async () => {
  const identity = identifyProcess(await sleeper());
  const [child] = children;
  if (identity === undefined || child === undefined) throw new Error('not found');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(stillRuns(identity)).toBe(false);
});
