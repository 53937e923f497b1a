/** `intake ingest`: files on their road, with or without waiting for its end. */
import { Command } from 'commander';
import { IntakeError } from '../../domain/errors.ts';
import { examples } from '../help.ts';
import { assertReadable, ingestFiles } from '../ingest-files.ts';
import { accompany, findGuide, journeyOf } from '../journey.ts';
import { describeReports, fileInJson, reportOf } from '../report.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly wait?: boolean;
  readonly name?: string;
}

export function ingestCommand(terminal: Terminal): Command {
  return new Command('ingest')
    .summary('send documents')
    .description(
      'Sends PDF, DOCX, HTML, Markdown and text files. A file that is there already is not sent again. One that fails stops no other.',
    )
    .argument('<files...>', 'files to send')
    .option('--wait', 'until every document has ended; Ctrl-C leaves them running')
    .option('--name <name>', 'keep the one file under this name')
    .option('--json', 'one JSON array on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake ingest plan.pdf': 'send it, and go on',
        'intake ingest --wait *.pdf': 'send all, and wait for the last',
        'intake ingest scan.pdf --name "Plan 2026.pdf"': 'under a better name',
      }),
    )
    .action(async (files: string[], { wait = false, name }: Options) => {
      if (name !== undefined && files.length > 1) {
        throw new IntakeError('INVALID_REQUEST', { detail: '--name: for one file only' });
      }
      assertReadable(files);
      const onTheirWay = files.map((path) => ({ path, name, journey: journeyOf(path) }));
      const journeys = onTheirWay.map(({ journey }) => journey);
      const guide = await findGuide(terminal, files.length);
      await accompany(terminal, guide, { journeys, work: ingestFiles(guide, onTheirWay, wait) });
      terminal.answer(journeys.map(reportOf), describeReports(terminal), (reports) =>
        reports.map(fileInJson),
      );
    });
}
