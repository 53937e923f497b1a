import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { operatorEnvironment } from '../../../src/cli/operator-environment.ts';
import { claimClone } from '../../../src/dev/pid-file.ts';
import { settingsIn } from '../../../src/dev/stack-plan.ts';
import { type StateFolder, stateFolder } from '../../../src/dev/state-folder.ts';

const ours = { DATABASE_URL: 'postgres://127.0.0.1:1/ours', TEMPORAL_ADDRESS: '127.0.0.1:2' };
let root: string;
let folder: StateFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'intake-operator-'));
  folder = stateFolder(root);
  writeFileSync(folder.environmentFile, JSON.stringify(settingsIn({ ...ours, HOME: '/home/me' })));
});
afterEach(() => rmSync(root, { recursive: true }));

function runStack(): void {
  const claim = claimClone(folder.pidFile);
  if (claim.held) claim.publish({ api: 'http://127.0.0.1:3' });
}

test('the stack that runs here needs no settings, and keeps nothing else of the environment', () => {
  runStack();
  expect(operatorEnvironment({ PATH: '/bin' }, root)).toEqual({ PATH: '/bin', ...ours });
  expect(operatorEnvironment({ DATABASE_URL: ours.DATABASE_URL }, root)).toEqual(ours);
});

test('another database is another installation, which gives all of its settings', () => {
  runStack();
  const theirs = { DATABASE_URL: 'postgres://elsewhere/theirs' };
  expect(operatorEnvironment(theirs, root)).toBe(theirs);
});

test('what a stack left that runs no more counts for nothing', () => {
  const environment = { PATH: '/bin' };
  expect(operatorEnvironment(environment, root)).toBe(environment);
});
