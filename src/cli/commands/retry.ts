/** `intake retry`: a new attempt from the stage that failed. */
import { Command } from 'commander';
import { actorMeaning, documentId, requiredActor } from '../arguments.ts';
import { connect } from '../connection.ts';
import { labelOf } from '../document-words.ts';
import { examples } from '../help.ts';
import { accompany, findGuide, follow, journeyOf } from '../journey.ts';
import { describeReports, reportOf } from '../report.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly wait?: boolean;
  readonly actor?: string;
}

export function retryCommand(terminal: Terminal): Command {
  return new Command('retry')
    .summary('try a failed or cancelled document again')
    .description(
      'Starts again from the stage that failed. What was paid for and kept is not paid for again. A file whose bytes were refused has to be sent anew.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--actor <name>', `anybody’s, as an operator: ${actorMeaning}`)
    .option('--wait', 'until the document has ended; Ctrl-C leaves it running')
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText('after', examples({ 'intake retry ID --wait': 'try again, and see how it ends' }))
    .action(async (id: string, { wait = false, actor }: Options) => {
      const client = connect();
      const started =
        actor === undefined
          ? await client.retry(id)
          : await client.operator.retry(id, { actor: requiredActor(actor) });
      if (!wait) {
        terminal.answer(
          started,
          ({ status }) => `${id}  ${status}\n  Look again: intake watch ${id}`,
        );
        return;
      }
      const journey = journeyOf(labelOf(await client.document(id)), id);
      const guide = await findGuide(terminal, 1);
      await accompany(terminal, guide, { journeys: [journey], work: follow(guide, journey) });
      terminal.answer([reportOf(journey)], describeReports(terminal), ([report]) =>
        report?.failure ? { documentId: id, error: report.failure } : report?.document,
      );
    });
}
