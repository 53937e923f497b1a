/** `intake`: the command table, and the process round it. */
import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { cancelCommand } from './commands/cancel.ts';
import { deleteCommand } from './commands/delete.ts';
import { ingestCommand } from './commands/ingest.ts';
import { listCommand } from './commands/list.ts';
import { migrateCommand } from './commands/migrate.ts';
import { retryCommand } from './commands/retry.ts';
import { searchCommand } from './commands/search.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
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
    .addCommand(watchCommand(terminal))
    .addCommand(searchCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(retryCommand(terminal))
    .addCommand(cancelCommand(terminal))
    .addCommand(deleteCommand(terminal))
    .addCommand(migrateCommand(terminal))
    .addHelpText('after', programHelp)
    .addHelpText('afterAll', exitCodeHelp);
}

let outputLost = false;
for (const stream of [process.stdout, process.stderr]) {
  // Whoever reads our output may have seen enough (`| head`). What was to be done is done all the same.
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    outputLost ||= code !== 'EPIPE';
  });
}
const exitCode = await runCommand(createProgram, process.argv.slice(2), process);
process.stdout.write('', () => {
  process.exit(exitCode === exitCodes.done && outputLost ? exitCodes.unexpected : exitCode);
});
