/** `intake status`: one document and what happened to it; without an id, the newest documents. */
import { Command } from 'commander';
import type { DocumentDetail } from '../api-client.ts';
import { documentId } from '../arguments.ts';
import { connect } from '../connection.ts';
import {
  describeStanding,
  formatBytes,
  formatTime,
  nextStep,
  operatorHint,
  styleOf,
} from '../document-words.ts';
import { exitCodeOfDocument } from '../exit-codes.ts';
import { examples } from '../help.ts';
import { oneLine } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { listDocuments } from './list.ts';

export function statusCommand(terminal: Terminal): Command {
  return new Command('status')
    .summary('show how a document stands')
    .description(
      'Shows how a document stands, whose turn it is, and its timeline. Without an id: the newest documents, as `intake list` does. The exit code is that of the document’s end, 0 while it is on its road.',
    )
    .argument('[id]', 'document id', documentId)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake status': 'the newest documents',
        'intake status ID': 'one of them, with its timeline',
        'intake status ID --json | jq .timeline': 'for programs',
      }),
    )
    .action(async (id: string | undefined) => {
      if (id === undefined) return listDocuments(terminal, {});
      const document = await connect().document(id);
      terminal.exitCode = exitCodeOfDocument(document);
      terminal.answer(document, (clean) => describeDocument(clean, terminal.paint));
    });
}

function describeDocument(document: DocumentDetail, paint: Terminal['paint']): string {
  const { waiting, failedPages } = document;
  const facts: Readonly<Record<string, string | undefined>> = {
    Id: document.documentId,
    Standing: paint(styleOf(document), describeStanding(document)),
    Next: nextStep(document),
    Operators: operatorHint(waiting ?? document.error),
    'Next try': waiting?.nextTryAt && formatTime(waiting.nextTryAt),
    'Ends by': waiting?.deadlineAt && formatTime(waiting.deadlineAt),
    File: `${document.type}, ${formatBytes(document.sizeBytes)}`,
    'Lost pages': failedPages.length === 0 ? undefined : failedPages.join(', '),
    Searchable: document.searchable ? 'yes' : 'no',
    Attempts: `${document.attempts.length}`,
    Run: document.links.temporalRun,
    Correlation: document.correlationId,
  };
  const lines = Object.entries(facts).flatMap(([term, words]) =>
    words === undefined ? [] : [`  ${paint('dim', term.padEnd(11))}  ${words}`],
  );
  return [
    paint('bold', oneLine(document.name)),
    ...lines,
    paint('bold', 'Timeline'),
    ...document.timeline.map((event) => `  ${describeEvent(event, document.createdAt)}`),
  ].join('\n');
}

type TimelineEvent = DocumentDetail['timeline'][number];

/** By how long after the first it came. */
function describeEvent(event: TimelineEvent, begunAt: string): string {
  const { at, attempt, kind, status, command, code, message, actor, selfDeclared, reason } = event;
  const seconds = ((Date.parse(at) - Date.parse(begunAt)) / 1000).toFixed(1);
  const words = [
    kind === 'status' ? undefined : kind,
    status,
    command,
    actor && `by ${actor}${selfDeclared === true ? ' (self-declared)' : ''}`,
    reason && `“${oneLine(reason)}”`,
    message && `${code}: ${message}`,
  ];
  const what = words.filter((word) => word !== undefined).join('  ');
  return `${seconds.padStart(9)} s  #${attempt}  ${what}`;
}
