/** `intake`: the command table, and the process round it. */
import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { cancelCommand } from './commands/cancel.ts';
import { deleteCommand } from './commands/delete.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { extendCommand } from './commands/extend.ts';
import { failCommand } from './commands/fail.ts';
import { ingestCommand } from './commands/ingest.ts';
import { listCommand } from './commands/list.ts';
import { migrateCommand } from './commands/migrate.ts';
import { pollCommand } from './commands/poll.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { redriveCommand } from './commands/redrive.ts';
import { retryCommand } from './commands/retry.ts';
import { searchCommand } from './commands/search.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { upgradeCommand } from './commands/upgrade.ts';
import { versionsCommand } from './commands/versions.ts';
import { watchCommand } from './commands/watch.ts';
import { exitCodes } from './exit-codes.ts';
import { exitCodeHelp, programHelp } from './help.ts';
import { runCommand } from './run-command.ts';
import type { Terminal } from './terminal.ts';

function createProgram(terminal: Terminal): Command {
  return new Command('intake')
    .description('Durable document ingestion: send documents, follow them, ask them.')
    .version(manifest.version)
    .addCommand(upCommand(terminal))
    .addCommand(ingestCommand(terminal))
    .addCommand(statusCommand(terminal))
    .addCommand(explainCommand(terminal))
    .addCommand(watchCommand(terminal))
    .addCommand(searchCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(retryCommand(terminal))
    .addCommand(cancelCommand(terminal))
    .addCommand(deleteCommand(terminal))
    .addCommand(pollCommand(terminal))
    .addCommand(extendCommand(terminal))
    .addCommand(failCommand(terminal))
    .addCommand(redriveCommand(terminal))
    .addCommand(migrateCommand(terminal))
    .addCommand(upgradeCommand(terminal))
    .addCommand(versionsCommand(terminal))
    .addCommand(reconcileCommand(terminal))
    .addCommand(doctorCommand(terminal))
    .addHelpText('after', programHelp)
    .addHelpText('afterAll', exitCodeHelp);
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => undefined); // looked at below; what was to be done is done all the same
}
const exitCode = await runCommand(createProgram, process.argv.slice(2), process);
process.stdout.write('', () => {
  const lost = exitCode === exitCodes.done && isLost(process.stdout.errored);
  process.exit(lost ? exitCodes.unexpected : exitCode);
});

/** A reader that has seen enough (`| head`) has lost nothing. */
function isLost(fault: NodeJS.ErrnoException | null): boolean {
  return fault !== null && fault.code !== 'EPIPE';
}
