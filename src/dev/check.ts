/** `npm run check`: everything that can be said about the code in seconds, side by side. `--fix` only formats. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

interface Check {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

const root = join(import.meta.dirname, '../..');
const compiler = 'node_modules/typescript7/bin/tsc';

/** The slow ones first, so that they do not end alone. */
const checks: readonly Check[] = [
  { name: 'unit tests', command: ['vitest', 'run', '--project', 'unit'] },
  { name: 'unused code', command: ['knip', '--treat-config-hints-as-errors'] },
  {
    name: 'imports',
    command: [
      'depcruise',
      ...['--config', '.dependency-cruiser.cjs'],
      ...['src', 'activities', 'workflows', 'test'],
    ],
  },
  { name: 'types', command: ['node', compiler, '-p', '.'] },
  { name: 'types of workflows', command: ['node', compiler, '-p', 'workflows'] },
  { name: 'types of the domain', command: ['node', compiler, '-p', 'src/domain'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'check'] },
];

const formatting: Check = { name: 'format', command: ['biome', 'check', '--write'] };

const chosen = process.argv.includes('--fix') ? [formatting] : checks;
const outcomes = await Promise.all(chosen.map(run));
process.exitCode = outcomes.every((ok) => ok) ? 0 : 1;

/** One line per check, and the output of those that failed. */
async function run({ name, command: [program, ...args] }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: programsFirst() },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  const ok = (await promise) === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'failed'}  ${name}  ${seconds} s${ok ? '' : `\n${output}`}`);
  return ok;
}

function programsFirst(): string {
  const own = [join(root, 'node_modules/.bin'), dirname(process.execPath)];
  return [...own, process.env['PATH']].join(delimiter);
}
