import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findConnection } from '../../../src/cli/connection.ts';
import { claimClone } from '../../../src/dev/pid-file.ts';
import { type StateFolder, stateFolder } from '../../../src/dev/state-folder.ts';

const url = 'http://127.0.0.1:20001';
let root: string;
let folder: StateFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'intake-connection-'));
  folder = stateFolder(root);
});
afterEach(() => rmSync(root, { recursive: true }));

/** As a supervisor does; this process lives. */
function startSupervisor({ token, ready = true }: { token?: string; ready?: boolean } = {}): void {
  const claim = claimClone(folder.pidFile);
  if (!claim.held) throw new Error('somebody else holds the folder');
  if (token !== undefined) writeFileSync(folder.tokenFile, `${token}\n`);
  if (ready) claim.publish({ api: url });
}

test('the environment names another Intake', () => {
  const environment = { INTAKE_URL: 'https://intake.example', INTAKE_TOKEN: ' my-token\n' };
  startSupervisor({ token: 'local-token' });
  expect(findConnection(environment, root)).toEqual({
    url: 'https://intake.example',
    token: 'my-token',
  });
});

test('the stack that runs in this folder needs no settings', () => {
  startSupervisor({ token: 'local-token' });
  expect(findConnection({}, root)).toEqual({ url, token: 'local-token' });
  expect(findConnection({ INTAKE_URL: '' }, root)).toEqual({ url, token: 'local-token' });
});

test('the local stack is asked as somebody else when a token is given', () => {
  startSupervisor({ token: 'local-token' });
  expect(findConnection({ INTAKE_TOKEN: 'my-token' }, root)).toEqual({ url, token: 'my-token' });
});

test('the local token is never sent to an address from the environment', () => {
  startSupervisor({ token: 'local-token' });
  expect(() => findConnection({ INTAKE_URL: 'https://intake.example' }, root)).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
  );
});

test('a stack over a Supabase of one’s own has no token of its own', () => {
  startSupervisor();
  expect(() => findConnection({}, root)).toThrow(
    expect.objectContaining({ detail: expect.stringContaining('INTAKE_TOKEN') }),
  );
});

test('a stack that starts is named as that', () => {
  startSupervisor({ ready: false });
  expect(() => findConnection({}, root)).toThrow(
    expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }),
  );
});

test('without a stack the way to one is told, and what a dead one left counts for nothing', () => {
  const wayToOne = expect.objectContaining({ detail: expect.stringContaining('npm start') });
  expect(() => findConnection({}, root)).toThrow(wayToOne);
  // No system gives out a pid of this size.
  writeFileSync(folder.pidFile, JSON.stringify({ pid: 2 ** 30, urls: { api: url } }));
  expect(() => findConnection({}, root)).toThrow(wayToOne);
});

test.each([
  ['INTAKE_URL', { INTAKE_URL: 'intake.example', INTAKE_TOKEN: 'a' }],
  ['INTAKE_TOKEN', { INTAKE_URL: 'https://intake.example', INTAKE_TOKEN: 'a b' }],
])('a wrong %s is named and not shown', (key, environment) => {
  expect(() => findConnection(environment, root)).toThrow(
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      detail: expect.not.stringContaining(environment[key as keyof typeof environment]),
    }),
  );
  expect(() => findConnection(environment, root)).toThrow(
    expect.objectContaining({ detail: expect.stringContaining(key) }),
  );
});
