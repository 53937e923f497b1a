import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimClone } from '../../../src/dev/pid-file.ts';
import { identifyProcess } from '../../../src/dev/process-identity.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-pid-'));
  file = join(folder, 'up.pid');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the second claim learns who holds the clone, and its URLs once it is ready', () => {
  const first = claimClone(file);
  if (!first.held) throw new Error('not held');
  expect(claimClone(file)).toMatchObject({ held: false, by: { pid: process.pid } });

  const urls = { api: 'http://127.0.0.1:1', temporalUi: 'http://127.0.0.1:2' };
  first.publish(urls);
  expect(claimClone(file)).toMatchObject({ held: false, by: { pid: process.pid, urls } });
});

test('a released clone can be claimed again', () => {
  const first = claimClone(file);
  if (!first.held) throw new Error('not held');
  first.release();
  expect(existsSync(file)).toBe(false);
  expect(claimClone(file).held).toBe(true);
});

test('a supervisor that was killed holds nothing, even when its pid runs again as somebody else', () => {
  const self = identifyProcess(process.pid);
  writeFileSync(file, JSON.stringify({ ...self, startedAt: 'another boot/1' }));
  expect(claimClone(file).held).toBe(true);
});

test('an unreadable file is named instead of guessed at', () => {
  writeFileSync(file, 'not json');
  expect(() => claimClone(file)).toThrow(
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      detail: expect.stringContaining(file),
    }),
  );
});
