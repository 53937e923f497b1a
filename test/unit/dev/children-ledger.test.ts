import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../../src/dev/child-process.ts';
import { endLeftovers, openLedger } from '../../../src/dev/children-ledger.ts';
import { identifyProcess } from '../../../src/dev/process-identity.ts';
import { eventually } from '../../support/eventually.ts';

let folder: string;
let file: string;
const orphans: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-ledger-'));
  file = join(folder, 'children.json');
});
afterEach(() => {
  for (const child of orphans.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

async function orphan(script = 'setInterval(() => {}, 1e9)') {
  const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' });
  orphans.push(child);
  await once(child, 'spawn');
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error('not found');
  return { child, record: { name: 'worker', ...identity } };
}

test('children stand in the ledger as long as they run', async () => {
  const ledger = openLedger(file);
  const child = await startChild({
    name: 'dummy',
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1e9)'],
    logFile: join(folder, 'dummy.log'),
  });
  ledger.add(child);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject([{ name: 'dummy', pid: child.pid }]);
  await child.stop();
  await eventually(() => expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([]));
});

test('what a killed supervisor left behind is ended and named', async () => {
  const { child, record } = await orphan();
  writeFileSync(file, JSON.stringify([record]));
  const ended = once(child, 'exit');
  await expect(endLeftovers(file)).resolves.toEqual(['worker']);
  await expect(ended).resolves.toEqual([null, 'SIGTERM']);
});

test('one that does not listen is killed with its whole group', async () => {
  const stubborn = `
    process.on('SIGTERM', () => {});
    const { spawn } = require('node:child_process');
    const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)']);
    require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'grandchild'))}, String(grandchild.pid));
    setInterval(() => {}, 1e9);`;
  const { record } = await orphan(stubborn);
  const grandchild = await eventually(() => {
    const pid = Number(readFileSync(join(folder, 'grandchild'), 'utf8'));
    expect(pid).toBeGreaterThan(0);
    return pid;
  });
  writeFileSync(file, JSON.stringify([record]));
  await expect(endLeftovers(file, 50)).resolves.toEqual(['worker']);
  await eventually(() => expect(identifyProcess(grandchild)).toBeUndefined());
});

test('a stranger who got the pid later is spared', async () => {
  const { child, record } = await orphan();
  const began = { ...record, startedAt: 'another boot/1' };
  const runs = { ...record, command: 'temporal server start-dev' };
  writeFileSync(file, JSON.stringify([began, runs]));
  await expect(endLeftovers(file)).resolves.toEqual([]);
  expect(child.exitCode ?? child.signalCode).toBeNull();
});

test('no ledger, nothing to do', async () => {
  await expect(endLeftovers(file)).resolves.toEqual([]);
});
