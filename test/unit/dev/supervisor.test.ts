import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Child, startChild, untilReady } from '../../../src/dev/child-process.ts';
import { identifyProcess } from '../../../src/dev/process-identity.ts';
import {
  createSupervisor,
  type Death,
  type Service,
  type Supervisor,
} from '../../../src/dev/supervisor.ts';
import { eventually } from '../../support/eventually.ts';

let folder: string;
let supervisor: Supervisor;
let spawned: Child[];
let deaths: Death[];
let revived: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-supervisor-'));
  spawned = [];
  deaths = [];
  revived = [];
  supervisor = createSupervisor({
    spawned: (child) => spawned.push(child),
    died: (death) => deaths.push(death),
    revived: (name) => revived.push(name),
  });
});
afterEach(async () => {
  await supervisor.kill();
  rmSync(folder, { recursive: true });
});

/** A real child that is ready when it has printed `ready`. */
function service(
  name: string,
  script = `console.log('ready'); setInterval(() => {}, 1e9)`,
): Service {
  return {
    name,
    async start(onSpawn) {
      const child = await startChild({
        name,
        command: process.execPath,
        args: ['-e', script],
        logFile: join(folder, `${name}.log`),
        onSpawn,
      });
      await untilReady(child, async () => child.lastLines().includes('ready'), 10_000);
      return child;
    },
  };
}

/** Appends its name to a file when it is told to stop, then takes its time. */
function draining(name: string): Service {
  return service(
    name,
    `const { appendFileSync } = require('node:fs');
     const note = (word) => appendFileSync(${JSON.stringify(join(folder, 'order'))}, word + ' ');
     process.on('SIGTERM', () => {
       note('${name}?');
       setTimeout(() => { note('${name}!'); process.exit(0); }, 50);
     });
     console.log('ready');
     setInterval(() => {}, 1e9);`,
  );
}

test('a killed child is named with its last lines and started again', async () => {
  const first = await supervisor.start(service('worker'));
  process.kill(first.pid, 'SIGKILL');
  await vi.waitFor(() => expect(revived).toEqual(['worker']), { timeout: 10_000 });
  expect(deaths).toMatchObject([
    {
      name: 'worker',
      reason: `was killed by SIGKILL. The end of ${first.logFile}:\nready`,
      verdict: { action: 'restart', delayMs: 0 },
    },
  ]);
  expect(spawned).toHaveLength(2);
  expect(identifyProcess(spawned[1]?.pid ?? 0)).toBeDefined();
});

test('a child that keeps dying is given up', async () => {
  supervisor = createSupervisor(
    { spawned: (child) => spawned.push(child), died: (death) => deaths.push(death), revived() {} },
    ({ length }) => (length < 3 ? { action: 'restart', delayMs: 0 } : { action: 'give-up' }),
  );
  const marker = join(folder, 'doomed');
  await supervisor.start(
    service(
      'api',
      `console.log('ready');
       const doomed = () => require('node:fs').existsSync(${JSON.stringify(marker)});
       setInterval(() => { if (doomed()) process.exit(3); }, 5);`,
    ),
  );
  writeFileSync(marker, '');
  await expect(supervisor.gaveUp).resolves.toBe('api');
  expect(deaths.map(({ verdict }) => verdict.action)).toEqual(['restart', 'restart', 'give-up']);
  expect(deaths.at(-1)?.reason).toContain('ended with code 3');
});

test('a first start that fails is the caller’s and is not tried again', async () => {
  const broken = service('broken', `console.log('no such table'); process.exit(2)`);
  await expect(supervisor.start(broken)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    detail: 'broken ended with code 2. Its last lines:\nno such table',
  });
  expect(spawned).toHaveLength(1);
  expect(deaths).toEqual([]);
});

test('a stop goes group by group and nothing is started again', async () => {
  for (const name of ['postgres', 'storage', 'parser', 'worker', 'api']) {
    await supervisor.start(draining(name));
  }
  await supervisor.stop([['api'], ['worker'], ['storage', 'parser'], ['postgres']]);
  const order = readFileSync(join(folder, 'order'), 'utf8').trim().split(' ');
  expect(order.slice(0, 4)).toEqual(['api?', 'api!', 'worker?', 'worker!']);
  expect(order.slice(4, 6).sort()).toEqual(['parser?', 'storage?']);
  expect(order.slice(6, 8).sort()).toEqual(['parser!', 'storage!']);
  expect(order.slice(8)).toEqual(['postgres?', 'postgres!']);
  expect(deaths).toEqual([]);
  expect(spawned.map(({ pid }) => identifyProcess(pid))).toEqual(spawned.map(() => undefined));
});

test('a child that is not ready yet when the stop comes is stopped as well', async () => {
  const starting = supervisor.start(service('slow', 'setInterval(() => {}, 1e9)'));
  const refused = expect(starting).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await eventually(() => expect(spawned).toHaveLength(1));
  await supervisor.stop([['slow']]);
  await refused;
  expect(identifyProcess(spawned[0]?.pid ?? 0)).toBeUndefined();
});

test('a kill does not wait for a child that drains for ever', async () => {
  await supervisor.start(
    service(
      'worker',
      `process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e9)`,
    ),
  );
  const stopping = supervisor.stop([['worker']]);
  await supervisor.kill();
  await stopping;
  expect(identifyProcess(spawned[0]?.pid ?? 0)).toBeUndefined();
});
