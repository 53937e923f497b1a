/** `intake watch`: documents live, until the last of them has ended. */
import { Command } from 'commander';
import { documentIds } from '../arguments.ts';
import { connect } from '../connection.ts';
import { labelOf } from '../document-words.ts';
import { examples } from '../help.ts';
import { accompany, findGuide, follow, type Journey, journeyOf } from '../journey.ts';
import { describeReports, type Report, reportOf } from '../report.ts';
import type { Terminal } from '../terminal.ts';
import { everybody, ownCrowd, watchEverything } from '../watch-everything.ts';

interface Options {
  readonly stay?: boolean;
  readonly everyone?: boolean;
}

export function watchCommand(terminal: Terminal): Command {
  return new Command('watch')
    .summary('follow documents until they have ended')
    .description(
      'Follows documents until each has ended; without ids, everything that is on its road, and what sets out meanwhile. Ctrl-C leaves them running.',
    )
    .argument('[ids...]', 'document ids', documentIds)
    .option('--stay', 'without ids: go on when nothing is on its road, until Ctrl-C')
    .option('--everyone', 'without ids: everybody’s documents, for operators')
    .option('--json', 'one JSON array on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake watch': 'whatever runs now',
        'intake watch --everyone --stay': 'everything, live',
        'intake watch ID && intake search "What is my copay?"': 'ask as soon as it is there',
      }),
    )
    .action(async (ids: readonly string[] = [], options: Options) => {
      const journeys =
        ids.length > 0 ? await watchSome(terminal, ids) : await watchAll(terminal, options);
      if (journeys.length === 0) return terminal.answer([], () => 'No document is on its road.');
      // Of strangers' documents an operator sees how they stand, and no more.
      if (ids.length === 0 && options.everyone === true) return tellStandings(terminal, journeys);
      terminal.answer(journeys.map(reportOf), describeReports(terminal), (reports) =>
        reports.map(inJson),
      );
    });
}

function tellStandings(terminal: Terminal, journeys: readonly Journey[]): void {
  const standings = journeys.map(({ documentId, standing }) => ({ documentId, standing }));
  terminal.answer(standings, (all) =>
    all.map(({ documentId, standing }) => `${documentId}  ${standing}`).join('\n'),
  );
}

function inJson({ documentId, document, failure }: Report) {
  return failure === null && document !== null ? document : { documentId, error: failure };
}

async function watchSome(terminal: Terminal, ids: readonly string[]): Promise<readonly Journey[]> {
  const client = connect();
  const documents = await Promise.all([...new Set(ids)].map((id) => client.document(id)));
  const journeys = documents.map((document) => journeyOf(labelOf(document), document.documentId));
  const guide = await findGuide(terminal, journeys.length);
  const work = Promise.all(journeys.map((journey) => follow(guide, journey)));
  await accompany(terminal, guide, { journeys, work });
  return journeys;
}

/** A person does not see more. */
const ROUND_MS = 500;

async function watchAll(
  terminal: Terminal,
  { stay = false, everyone = false }: Options,
): Promise<readonly Journey[]> {
  const guide = await findGuide(terminal, Number.POSITIVE_INFINITY);
  const { client, progress } = guide;
  const journeys: Journey[] = [];
  const crowd = everyone ? everybody(client) : ownCrowd(client);
  const work = watchEverything(crowd, { progress, journeys, stay, roundMs: ROUND_MS });
  await accompany(terminal, guide, { journeys, work });
  return journeys;
}
