/** `intake fail`: ends a document as failed, with a reason that its owner reads. */
import { Command } from 'commander';
import { IntakeError } from '../../domain/errors.ts';
import { reasonFault } from '../../domain/operators.ts';
import { actorMeaning, documentId, requiredActor } from '../arguments.ts';
import { connect } from '../connection.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly reason?: string;
  readonly actor?: string;
}

export function failCommand(terminal: Terminal): Command {
  return new Command('fail')
    .summary('end a document as failed (operators)')
    .description(
      'Ends a document that is on its road as failed. The owner reads the reason; `intake retry` starts it again from the stage where it stood.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--reason <sentence>', 'why; the owner reads it')
    .option('--actor <name>', actorMeaning)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({ 'intake fail ID --reason "The parser has lost it." --actor ada': 'give it up' }),
    )
    .action(async (id: string, { reason = '', ...options }: Options) => {
      const actor = requiredActor(options.actor);
      const fault = reasonFault(reason);
      if (fault !== undefined) throw new IntakeError('INVALID_REQUEST', { detail: `--${fault}` });
      const answered = await connect().operator.fail(id, { actor, reason });
      terminal.answer(answered, ({ answer, status }) => `${id}  ${status}  ${answer}`);
    });
}
