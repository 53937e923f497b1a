/**
 * `npm run guards [NAME…]`: takes each guard out of a copy of the project, one at a time, and runs the tests that watch
 * it. They must fail, and pass while the guard is there: a test that is green or red either way proves nothing. Ends
 * with 1 when one does, or when a guard is not found.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Guard, guards } from './guards.ts';

const root = join(import.meta.dirname, '../..');
// Inside the project, so that packages are found; ignored by git.
const copy = join(root, '.intake', `guards-${process.pid}`);

type Outcome = 'red' | 'green' | 'no test ran';
type Verdict = Outcome | 'red before' | 'guard not found';

const wanted = process.argv.slice(2);
const chosen = guards.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
/** How each set of tests ends with every guard in its place. */
const baseline = new Map<string, Outcome>();
let failed = 0;
copyProject();
try {
  for (const guard of chosen) {
    const verdict = await judge(guard);
    if (verdict !== 'red') failed += 1;
    console.log(
      `${String(guard.invariant).padStart(2)}  ${verdict.padEnd(16)}${guard.name}  (${guard.test})`,
    );
  }
} finally {
  rmSync(copy, { recursive: true });
}
console.log(`${chosen.length - failed} of ${chosen.length} guards are watched`);
process.exitCode = failed === 0 ? 0 : 1;

function copyProject(): void {
  const files = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  for (const file of files.split('\0').filter(Boolean)) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, '.tools'), join(copy, '.tools'));
}

async function judge(guard: Guard): Promise<Verdict> {
  const files = [...new Set(guard.remove.map(({ file }) => file))];
  if (!guard.remove.every(isThere)) return 'guard not found';
  if ((await runUnchanged(guard)) !== 'green') return 'red before';
  try {
    for (const { file, text, with: instead } of guard.remove) {
      writeFileSync(
        join(copy, file),
        read(file).replace(text, () => instead),
      );
    }
    return await runTests(guard);
  } finally {
    for (const file of files) cpSync(join(root, file), join(copy, file));
  }
}

async function runUnchanged(guard: Guard): Promise<Outcome> {
  const tests = JSON.stringify([guard.project, guard.test, guard.only]);
  const outcome = baseline.get(tests) ?? (await runTests(guard));
  baseline.set(tests, outcome);
  return outcome;
}

/** Exactly once, or it is not clear what was taken out. */
function isThere({ file, text }: Guard['remove'][number]): boolean {
  return read(file).split(text).length === 2;
}

function read(file: string): string {
  return readFileSync(join(copy, file), 'utf8');
}

async function runTests({ project, test, only }: Guard): Promise<Outcome> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const filter = only === undefined ? [] : ['-t', only];
  const run = promisify(execFile)(
    process.execPath,
    [vitest, 'run', '--project', project, test, ...filter],
    { cwd: copy, maxBuffer: 64 * 1024 ** 2 },
  );
  return await run.then(
    () => 'green' as const,
    // Red because a test failed, and not because nothing could run.
    ({ stdout }: { stdout?: string }) =>
      /Tests .*failed/.test(stdout ?? '') ? 'red' : 'no test ran',
  );
}
