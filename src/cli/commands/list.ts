/** `intake list`: the newest documents, a line each. */
import { Command, Option } from 'commander';
import { type Status, statuses } from '../../domain/ingestion.ts';
import type { ApiClient, DocumentPage } from '../api-client.ts';
import { countUpTo, wholeDocumentId } from '../arguments.ts';
import { connect } from '../connection.ts';
import { formatTime, styleOf } from '../document-words.ts';
import { examples } from '../help.ts';
import { oneLine } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';

export type ListOptions = Parameters<ApiClient['documents']>[0];

export function listCommand(terminal: Terminal): Command {
  return new Command('list')
    .summary('list documents, newest first')
    .description('Lists documents, newest first.')
    .addOption(new Option('--status <status>', 'only with this status').choices(statuses))
    .option('--limit <count>', 'most documents', countUpTo(100), 20)
    .option('--cursor <id>', 'go on after this document', wholeDocumentId)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake list': 'the newest 20',
        'intake list --status failed_parse --limit 100': 'what could not be read',
      }),
    )
    .action(({ status, limit, cursor }: { status?: Status; limit: number; cursor?: string }) =>
      listDocuments(terminal, { status, limit, cursor }),
    );
}

export async function listDocuments(terminal: Terminal, options: ListOptions): Promise<void> {
  const page = await connect().documents(options);
  terminal.answer(page, ({ documents }) => table(documents, terminal.paint));
  if (page.nextCursor !== undefined && !terminal.json) {
    terminal.note(`There are more: intake list --cursor ${page.nextCursor}`);
  }
}

function table(documents: DocumentPage['documents'], paint: Terminal['paint']): string {
  if (documents.length === 0) return 'No documents. Send one: intake ingest FILE';
  const width = Math.max(...documents.map(({ status }) => status.length));
  return documents
    .map((document) => {
      const status = paint(styleOf(document), document.status.padEnd(width));
      const updated = paint('dim', formatTime(document.updatedAt));
      return [document.documentId, status, updated, oneLine(document.name)].join('  ');
    })
    .join('\n');
}
