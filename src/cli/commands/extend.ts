/** `intake extend`: moves the deadline of what a document waits for away. */
import { Command } from 'commander';
import { actorMeaning, documentId, instantIn, requiredActor } from '../arguments.ts';
import { connect } from '../connection.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly for: string;
  readonly actor?: string;
}

export function extendCommand(terminal: Terminal): Command {
  return new Command('extend')
    .summary('give a document more time (operators)')
    .description(
      'Moves the deadline of what the document waits for now away: the upload, the parser, storage, the embedder. It is never brought nearer.',
    )
    .argument('<id>', 'document id', documentId)
    .requiredOption('--for <duration>', 'from now on, like 90m, 2h or 1d', instantIn)
    .option('--actor <name>', actorMeaning)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({ 'intake extend ID --for 6h --actor ada': 'six hours from now' }),
    )
    .action(async (id: string, { for: until, ...options }: Options) => {
      const actor = requiredActor(options.actor);
      const answered = await connect().operator.extend(id, { actor, until });
      terminal.answer(answered, ({ answer }) => `${id}  ${answer}`);
    });
}
