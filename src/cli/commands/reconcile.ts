/** `intake reconcile`: what rows, runs, objects and parse jobs do not agree on, and its healing. For operators. */
import { Command } from 'commander';
import type { Finding } from '../../../activities/reconciliation/reconcile.ts';
import { errorCodes } from '../../domain/errors.ts';
import { findingKinds } from '../../domain/reconciliation.ts';
import { formatTime, turnWords } from '../document-words.ts';
import { exitCodes } from '../exit-codes.ts';
import { examples } from '../help.ts';
import type { Reconciled } from '../reconcile-all.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly afterRestore?: boolean;
}

export function reconcileCommand(terminal: Terminal): Command {
  return new Command('reconcile')
    .summary('find and heal what rows, runs and objects do not agree on (operators)')
    .description(
      'Compares database, Temporal, storage and parser, and heals what can be healed: what the schedule does, here and now. It reads the worker’s own configuration from the environment, or takes that of the stack that runs in this folder, and needs neither API nor worker.',
    )
    .option('--dry-run', 'only say what would be done')
    .option(
      '--after-restore',
      'the database was restored, and API and worker stand still: no grace, and runs without a row are ended',
    )
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake reconcile --dry-run': 'look first',
        'intake reconcile': 'then do it',
        'intake reconcile --after-restore': 'before the API is opened again',
      }),
    )
    .action((options: Options) => reconcile(terminal, options));
}

async function reconcile(
  terminal: Terminal,
  { dryRun = false, afterRestore = false }: Options,
): Promise<void> {
  // Loaded here: it is the whole of Intake, and no other command should wait for it.
  const { reconcileAll } = await import('../reconcile-all.ts');
  const outcome = await reconcileAll({ dryRun, afterRestore });
  terminal.answer({ dryRun, ...outcome }, (facts) => describe(facts, terminal.paint));
  if (outcome.brokenOff.length > 0) terminal.exitCode = exitCodes.unavailable;
  else if (outcome.findings.some(({ treatment }) => treatment !== 'healed')) {
    terminal.exitCode = exitCodes.failed;
  }
}

function describe({ findings, brokenOff }: Reconciled, paint: Terminal['paint']): string {
  const lines = findings.flatMap((finding) => lineOf(finding, paint));
  const nothing = brokenOff.length === 0 ? ['Nothing found: rows, runs and objects agree.'] : [];
  const broken = brokenOff.map(({ pass, code }) =>
    paint('red', `${pass}: not finished (${code}). ${errorCodes[code].hint}`),
  );
  return [...(lines.length === 0 ? nothing : lines), ...broken].join('\n');
}

function lineOf(
  { kind, id, since, treatment, code }: Finding,
  paint: Terminal['paint'],
): readonly string[] {
  const { means, remedy, grace } = findingKinds[kind];
  const remedied = 'heals' in remedy ? remedy.heals : 'ends it';
  const left =
    'reports' in remedy
      ? `${turnWords[remedy.turn]}: ${remedy.reports}`
      : `left alone: ${grace.reason}`;
  const said = {
    healed: paint('green', `healed: ${remedied}`),
    pending: paint('yellow', `would be healed: ${remedied}`),
    reported: paint('yellow', left),
    failed: paint('red', `not healed (${code}): the next round tries again`),
  }[treatment];
  const head = [kind, id, paint('dim', formatTime(since.toISOString()))].join('  ');
  return [head, `  ${means}`, `  ${said}`];
}
