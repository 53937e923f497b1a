/** `intake poll`: asks the parser now how a document’s job stands. */
import { Command } from 'commander';
import { actorMeaning, documentId, requiredActor } from '../arguments.ts';
import { connect } from '../connection.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function pollCommand(terminal: Terminal): Command {
  return new Command('poll')
    .summary('ask the parser now (operators)')
    .description(
      'Asks the parser now, through the document’s run, instead of at the next planned poll. When the job has ended, its result is collected at once.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--actor <name>', actorMeaning)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText('after', examples({ 'intake poll ID --actor ada': 'what does the parser say?' }))
    .action(async (id: string, options: { readonly actor?: string }) => {
      const actor = requiredActor(options.actor);
      const answered = await connect().operator.poll(id, { actor });
      terminal.answer(answered, ({ answer }) => `${id}  ${answer}`);
    });
}
