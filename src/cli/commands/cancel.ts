/** `intake cancel`: stops a document that is on its road. */
import { Command } from 'commander';
import { actorMeaning, documentId, requiredActor } from '../arguments.ts';
import { connect } from '../connection.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function cancelCommand(terminal: Terminal): Command {
  return new Command('cancel')
    .summary('stop a document that is on its road')
    .description(
      'Stops a document for good: nothing of it goes on afterwards. `intake retry` or a new upload starts it again.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--actor <name>', `anybody’s, as an operator: ${actorMeaning}`)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText('after', examples({ 'intake cancel ID': 'stop it' }))
    .action(async (id: string, { actor }: { readonly actor?: string }) => {
      const client = connect();
      const answer =
        actor === undefined
          ? await client.cancel(id)
          : await client.operator.cancel(id, { actor: requiredActor(actor) });
      terminal.answer(answer, ({ status }) => `${id}  ${status}`);
    });
}
