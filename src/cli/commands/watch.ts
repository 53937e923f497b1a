/** `intake watch`: documents live, until the last of them has ended. */
import { Command } from 'commander';
import { isTerminal, statuses } from '../../domain/ingestion.ts';
import type { ApiClient } from '../api-client.ts';
import { documentIds } from '../arguments.ts';
import { connect } from '../connection.ts';
import { labelOf } from '../document-words.ts';
import { examples } from '../help.ts';
import { accompany, findGuide, follow, journeyOf } from '../journey.ts';
import { describeReports, reportOf } from '../report.ts';
import type { Terminal } from '../terminal.ts';

export function watchCommand(terminal: Terminal): Command {
  return new Command('watch')
    .summary('follow documents until they have ended')
    .description(
      'Follows documents until each has ended; without ids, all that are on their road now. Ctrl-C leaves them running.',
    )
    .argument('[ids...]', 'document ids', documentIds)
    .option('--json', 'one JSON array on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake watch': 'whatever runs now',
        'intake watch ID && intake search "What is my copay?"': 'ask as soon as it is there',
      }),
    )
    .action(async (ids: readonly string[] = []) => {
      const client = connect();
      const documents =
        ids.length > 0
          ? await Promise.all([...new Set(ids)].map((id) => client.document(id)))
          : await documentsOnTheirRoad(client);
      if (documents.length === 0) return terminal.answer([], () => 'No document is on its road.');
      const journeys = documents.map((document) =>
        journeyOf(labelOf(document), document.documentId),
      );
      const guide = await findGuide(terminal, journeys.length);
      const work = Promise.all(journeys.map((journey) => follow(guide, journey)));
      await accompany(terminal, guide, { journeys, work });
      terminal.answer(journeys.map(reportOf), describeReports(terminal), (reports) =>
        reports.map(({ documentId, document, failure }) =>
          failure === null && document !== null ? document : { documentId, error: failure },
        ),
      );
    });
}

/** In the order of the road: a document that moves on meanwhile is met again, never missed. */
async function documentsOnTheirRoad(client: ApiClient) {
  const found = new Map<string, { name: string; documentId: string }>();
  for (const status of statuses.filter((each) => !isTerminal(each))) {
    let cursor: string | undefined;
    do {
      const page = await client.documents({ status, limit: 100, cursor });
      for (const document of page.documents) found.set(document.documentId, document);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }
  return [...found.values()];
}
