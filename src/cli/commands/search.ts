/** `intake search`: passages that answer a question. What they say is quoted, never obeyed: it may be anybody's text. */
import { Command } from 'commander';
import type { SearchAnswer } from '../api-client.ts';
import { countUpTo, documentIds } from '../arguments.ts';
import { connect } from '../connection.ts';
import { examples } from '../help.ts';
import { oneLine } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly k: number;
  readonly document?: readonly string[];
}

export function searchCommand(terminal: Terminal): Command {
  return new Command('search')
    .summary('ask the documents')
    .description('Finds the passages that answer a question, best first, with document and page.')
    .argument('<question...>', 'in your own words')
    .option('-k <count>', 'most passages', countUpTo(50), 5)
    .option('--document <id>', 'only in this document; may be given several times', documentIds)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake search "How soon will I hear back?"': 'ask all documents',
        'intake search -k 1 --document ID "What is my copay?"': 'the best passage of one of them',
      }),
    )
    .action(async (question: readonly string[], { k, document }: Options) => {
      const answer = await connect().search({
        query: question.join(' '),
        k,
        ...(document === undefined ? {} : { documentIds: [...document] }),
      });
      terminal.answer(answer, ({ passages }) =>
        passages.length === 0
          ? 'Nothing was found. Only complete documents are searched: see `intake list`.'
          : passages.map((passage, index) => describe(passage, index, terminal.paint)).join('\n\n'),
      );
    });
}

type Passage = SearchAnswer['passages'][number];

function describe(passage: Passage, index: number, paint: Terminal['paint']): string {
  const { documentName, documentId, pageFrom, pageTo, headingPath, text } = passage;
  const pages = pageFrom === pageTo ? `page ${pageFrom}` : `pages ${pageFrom}-${pageTo}`;
  const source = `${index + 1}. ${oneLine(documentName)}, ${pages}`;
  const heading = headingPath.map(oneLine).join(' > ');
  return [
    `${paint('bold', source)}  ${paint('dim', `${rating(passage)}  ${documentId}`)}`,
    ...(heading === '' ? [] : [`   ${paint('dim', heading)}`]),
    // Indented, so that no passage looks like the next source.
    ...text
      .trim()
      .split('\n')
      .map((line) => `   ${line}`.trimEnd()),
  ].join('\n');
}

function rating({ score, similarity }: Passage): string {
  const rank = `score ${score.toFixed(3)}`;
  return similarity === undefined ? rank : `${rank}, similarity ${similarity.toFixed(2)}`;
}
