/**
 * `npm run guards [NAME…]`: takes each guard out of a copy of the project, one at a time, and runs the tests that watch
 * it. They must fail, and pass while the guard is there: a test that is green or red either way proves nothing. Ends
 * with 1 when one does, or when a guard is not found.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyProject } from '../support/project-copy.ts';
import { type Guard, guards } from './guards.ts';

const root = join(import.meta.dirname, '../..');

type Outcome = 'red' | 'green' | 'no test ran';
type Verdict = Outcome | 'red before' | 'guard not found';

const wanted = process.argv.slice(2);
const chosen = guards.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
/** How each set of tests ends with every guard in its place. */
const baseline = new Map<string, Outcome>();
let failed = 0;
const copy = copyProject('guards');
try {
  for (const guard of chosen) {
    const verdict = await judge(guard);
    if (verdict !== 'red') failed += 1;
    console.log(
      `${String(guard.invariant).padStart(2)}  ${verdict.padEnd(16)}${guard.name}  (${guard.test})`,
    );
  }
} finally {
  copy.remove();
}
console.log(`${chosen.length - failed} of ${chosen.length} guards are watched`);
process.exitCode = failed === 0 ? 0 : 1;

async function judge(guard: Guard): Promise<Verdict> {
  if ((await runUnchanged(guard)) !== 'green') return 'red before';
  try {
    return copy.change(guard.remove) ? await runTests(guard) : 'guard not found';
  } finally {
    copy.restore([...new Set(guard.remove.map(({ file }) => file))]);
  }
}

async function runUnchanged(guard: Guard): Promise<Outcome> {
  const tests = JSON.stringify([guard.project, guard.test, guard.only]);
  const outcome = baseline.get(tests) ?? (await runTests(guard));
  baseline.set(tests, outcome);
  return outcome;
}

async function runTests({ project, test, only }: Guard): Promise<Outcome> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const filter = only === undefined ? [] : ['-t', only];
  const run = promisify(execFile)(
    process.execPath,
    [vitest, 'run', '--project', project, test, ...filter],
    { cwd: copy.folder, maxBuffer: 64 * 1024 ** 2 },
  );
  return await run.then(
    () => 'green' as const,
    // Red because a test failed, and not because nothing could run.
    ({ stdout }: { stdout?: string }) =>
      /Tests .*failed/.test(stdout ?? '') ? 'red' : 'no test ran',
  );
}
