/** The bootstrap in a folder of its own, on machines that lack something. Nothing is installed. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const files = ['bootstrap.mjs', 'package.json', 'package-lock.json', 'src/dev/requirements'];

let folder: string;
let clone: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intake-bootstrap-'));
  clone = join(folder, 'clone');
  copyTo(clone);
});
afterEach(() => rmSync(folder, { recursive: true }));

function copyTo(target: string): void {
  for (const file of files) cpSync(file, join(target, file), { recursive: true });
}

function bootstrap(command: string, path: string = process.env['PATH'] ?? '') {
  return spawnSync(process.execPath, ['bootstrap.mjs', command], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: path },
  });
}

/** In one sentence, without a stack, and with nothing left behind that a later start would take for whole. */
function expectRefusal({ status, stdout, stderr }: SpawnSyncReturns<string>, sentence: RegExp) {
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^ +at /m);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(existsSync(join(clone, 'node_modules/.intake-stamp'))).toBe(false);
}

test('without Python the person reads what it is for, and how to do without', () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  expectRefusal(
    bootstrap('up', empty),
    /^intake: Python 3 with pip is missing; it fetches .+ Or bring them yourself: set DATABASE_URL/,
  );
});

test('a Python without pip is not enough', () => {
  const bin = placePython('exit 1');
  expectRefusal(bootstrap('up', bin), /^intake: pip for Python 3 is missing/);
});

test('a long installation shows that it lives, and a failed one why it failed', () => {
  const bin = placePython('[ "$3" = --version ] && exit 0; sleep 6; echo no space left; exit 7');
  expectRefusal(
    bootstrap('up', `${bin}:/usr/bin:/bin`),
    /installing Temporal.+ …\nintake: still installing Temporal.+, \d+ s\n(.*\n)*.+\(exit code 7\).+\nno space left/,
  );
});

test('modules that belong to another folder are not touched', () => {
  const others = join(folder, 'others');
  mkdirSync(others);
  writeFileSync(join(others, 'kept'), '');
  symlinkSync(others, join(clone, 'node_modules'));
  expectRefusal(bootstrap('format'), /node_modules is a symbolic link.+Remove the link/);
  expect(existsSync(join(others, 'kept'))).toBe(true);
});

function placePython(script: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'python3'), 0o755);
  return bin;
}

/** How a small disk is made where nobody needs to be root for it; not every machine lets one. */
const smallDisks = [
  {
    program: 'unshare',
    options: ['--map-root-user', '--mount'],
    script:
      'mount -t tmpfs -o size=4m tmpfs "$1" && cp -r . "$1" && cd "$1" && exec "$2" bootstrap.mjs format',
  },
].filter(({ program, options }) => spawnSync(program, [...options, 'true']).status === 0);

test.each(smallDisks)(
  'too little disk is told before anything is installed ($program)',
  ({ program, options, script }) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const argv = [...options, 'sh', '-c', script, 'sh', disk, process.execPath];
    expectRefusal(
      spawnSync(program, argv, { cwd: clone, encoding: 'utf8' }),
      /^intake: Only 0\.0 GB are free at .+; the installation needs 3\.0 GB\.\n$/,
    );
  },
);
