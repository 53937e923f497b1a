/** A store is lost or set back in the middle of work: where documents are that this could hurt, and how they are seen. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from '../../activities/reconciliation/reconcile.ts';
import { postgresFolder } from '../../src/dev/tools.ts';
import type { Stack } from './stack.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** The schemas that are ours, as the runbook says it. */
const SCHEMAS = ['intake', 'upload_pipeline', 'intake_migrations'].map(
  (name) => `--schema=${name}`,
);

export async function dump(databaseUrl: string, file: string): Promise<void> {
  await execute(join(postgresFolder(18), 'pg_dump'), [
    ...['--format=custom', `--file=${file}`, ...SCHEMAS],
    databaseUrl,
  ]);
}

export async function restore(databaseUrl: string, file: string): Promise<void> {
  await execute(join(postgresFolder(18), 'pg_restore'), [
    ...['--clean', '--if-exists', '--no-owner', '--single-transaction'],
    ...[`--dbname=${databaseUrl}`, file],
  ]);
}

export interface Reconciled {
  readonly exitCode: number;
  readonly findings: readonly Finding[];
}

/** The command line as an operator runs it, in a process of its own with the worker's configuration. */
export async function intakeReconcile(
  { environment }: Pick<Stack, 'environment'>,
  ...flags: readonly string[]
): Promise<Reconciled> {
  const program = [join(root, 'src/cli/main.ts'), 'reconcile', '--json', ...flags];
  const { stdout, exitCode } = await execute(process.execPath, program, {
    env: { ...environment },
  }).then(
    (done) => ({ ...done, exitCode: 0 }),
    (failed: { stdout: string; code: number }) => ({
      stdout: failed.stdout,
      exitCode: failed.code,
    }),
  );
  return { exitCode, ...(JSON.parse(stdout) as Pick<Reconciled, 'findings'>) };
}

/** What was treated how, without the order of ids. */
export function kindsOf({ findings }: Pick<Reconciled, 'findings'>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, treatment } of findings) {
    const key = `${kind} ${treatment}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

export function policy(word: string) {
  return { content: `# Policy\n\nThe copayment of the one that ${word} is 20 dollars.\n` };
}

/** Some twenty sub-batches. */
export function manyPolicies() {
  const sections = Array.from(
    { length: 160 },
    (_, n) => `# Section ${n}\n\n${`Sentence ${n} about work that waits. `.repeat(12)}\n`,
  );
  return { content: sections.join('\n') };
}
