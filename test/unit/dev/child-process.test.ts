import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Child, startChild, untilReady } from '../../../src/dev/child-process.ts';
import { identifyProcess } from '../../../src/dev/process-identity.ts';
import { eventually } from '../../support/eventually.ts';

describe('child process', () => {
  let folder: string;
  let children: Child[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'intake-child-'));
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.stop({ signal: 'SIGKILL' })));
    rmSync(folder, { recursive: true });
  });

  async function start(script: string): Promise<Child> {
    const child = await startChild({
      name: 'child',
      command: process.execPath,
      args: ['-e', script],
      logFile: join(folder, 'log'),
    });
    children.push(child);
    return child;
  }

  it('says how it ended and what it said last, of this run alone', async () => {
    await (await start(`console.log('earlier run')`)).exited;
    const child = await start(`console.log('one'); console.error('two'); process.exitCode = 3`);
    expect(await child.exited).toEqual({
      code: 3,
      signal: null,
      expected: false,
      lastLines: ['one', 'two'],
    });
    expect(readFileSync(join(folder, 'log'), 'utf8')).toContain('earlier run');
  });

  it('stops gracefully, and can be told so twice', async () => {
    const child = await start(
      `process.on('SIGTERM', () => process.exit(0)); console.log('ready'); setInterval(() => {}, 1e9)`,
    );
    await untilReady(child, async () => child.lastLines().includes('ready'));
    const [first, second] = await Promise.all([child.stop(), child.stop()]);
    expect(first).toMatchObject({ code: 0, expected: true });
    expect(second).toEqual(first);
  });

  it('kills the whole group when the child does not listen', async () => {
    const child = await start(`
      const { spawn } = require('node:child_process');
      process.on('SIGTERM', () => {});
      const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
      console.log(grandchild.pid);
      setInterval(() => {}, 1e9);
    `);
    const grandchild = await eventually(() => {
      const pid = Number(child.lastLines()[0]);
      expect(pid).toBeGreaterThan(0);
      return pid;
    });
    expect(await child.stop({ timeoutMs: 50 })).toMatchObject({
      signal: 'SIGKILL',
      expected: true,
    });
    await eventually(() => expect(identifyProcess(grandchild)).toBeUndefined());
  });

  it('refuses a child that ends before it is ready, with its last lines', async () => {
    const child = await start(`console.log('port is taken'); process.exit(1)`);
    await expect(untilReady(child, async () => false)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      detail: expect.stringMatching(/ended with code 1[^]*port is taken/),
    });
  });

  it('refuses a program that is not there', async () => {
    const options = { name: 'child', command: join(folder, 'none'), logFile: join(folder, 'log') };
    await expect(startChild(options)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});
