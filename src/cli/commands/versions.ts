/** `intake versions`: which versions of the workers there are, and what hangs on each. For operators. */
import { Command } from 'commander';
import { loadVersionConfig } from '../../config.ts';
import type { Version } from '../../temporal/versions.ts';
import { countUpTo } from '../arguments.ts';
import { exitCodes } from '../exit-codes.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function versionsCommand(terminal: Terminal): Command {
  return new Command('versions')
    .summary('the versions of the workers, and the runs on each (operators)')
    .description(
      'Asks Temporal (TEMPORAL_*) for the versions of WORKER_DEPLOYMENT on TASK_QUEUE: which is current, ramping, draining or drained, its workers, and its runs. Ends with 4 when runs wait for a version that has no worker. ops/runbooks/new-version.md.',
    )
    .option('--minutes <N>', 'of what has ended, count the last N minutes only', countUpTo(100_000))
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake versions': 'before a version’s workers are stopped: it must say drained',
        'watch -n 10 intake versions': 'while a new version ramps up: what fails on which',
      }),
    )
    .action(async ({ minutes }: { readonly minutes?: number }) => {
      const { TASK_QUEUE: taskQueue, WORKER_DEPLOYMENT: deploymentName } = loadVersionConfig();
      // Temporal's client is large, and no other command should wait for it.
      const { createTemporalClient } = await import('../../temporal/client.ts');
      const { listVersions } = await import('../../temporal/versions.ts');
      const { client, namespace, close } = createTemporalClient({
        dataConverter: {}, // no payload is read
        onFault: () => undefined,
      });
      try {
        const versions = await listVersions(client, {
          namespace,
          taskQueue,
          deploymentName,
          endedSince: minutes === undefined ? undefined : new Date(Date.now() - minutes * 60_000),
        });
        if (versions.some(({ isStranded }) => isStranded)) terminal.exitCode = exitCodes.failed;
        terminal.answer({ versions }, (answer) => describe(answer.versions, terminal.paint));
      } finally {
        await close();
      }
    });
}

function describe(versions: readonly Version[], paint: Terminal['paint']): string {
  const head = ['version', 'state', 'workers', 'open', 'completed', 'failed'];
  const rows = versions.map((version) => ({
    version,
    cells: [
      version.buildId ?? '(none)',
      version.percent === undefined ? version.state : `${version.state} ${version.percent} %`,
      ...[version.workers, version.open, version.completed, version.failed].map(String),
    ],
  }));
  const all = [head, ...rows.map(({ cells }) => cells)];
  const widths = head.map((_, at) => Math.max(...all.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const stranded = rows
    .filter(({ version }) => version.isStranded)
    .map(({ version: { buildId = '(none)', open } }) =>
      paint('red', `${open} runs wait for version ${buildId}, which has no worker.`),
    );
  return [line(head), ...rows.map(({ cells }) => line(cells)), ...stranded].join('\n');
}
