/** `npm test`: every test in one run. The last line is `N passed, N failed`; whatever broke outside a test counts as failed. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseCLI, startVitest, type Vitest } from 'vitest/node';
import { temporalExecutable } from '../src/dev/tools.ts';

process.chdir(join(import.meta.dirname, '..'));
console.log(execFileSync(temporalExecutable(), ['--version'], { encoding: 'utf8' }).trim());

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const totals = countTests(await startVitest(filter, { ...options, watch: false }));
process.exitCode = totals.failed === 0 ? 0 : 1;
console.log(`${totals.passed} passed, ${totals.failed} failed`);

function countTests({ state }: Vitest): { passed: number; failed: number } {
  let passed = 0;
  let failed = state.getUnhandledErrors().length;
  for (const module of state.getTestModules()) {
    passed += [...module.children.allTests('passed')].length;
    failed += [...module.children.allTests('failed')].length;
    // Files that do not load and hooks that throw fail no test, but the suite that they are in.
    for (const suite of [module, ...module.children.allSuites()]) failed += suite.errors().length;
  }
  // A failed start or end of the servers leaves only the exit code.
  const broken = passed === 0 || (process.exitCode ?? 0) !== 0;
  return { passed, failed: broken ? Math.max(failed, 1) : failed };
}
