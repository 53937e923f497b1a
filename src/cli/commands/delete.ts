/** `intake delete`: removes a document everywhere, after asking. */
import { Command } from 'commander';
import { IntakeError } from '../../domain/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { documentId } from '../arguments.ts';
import { connect } from '../connection.ts';
import { formatBytes } from '../document-words.ts';
import { exitCodes } from '../exit-codes.ts';
import { examples } from '../help.ts';
import { oneLine } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';

export function deleteCommand(terminal: Terminal): Command {
  return new Command('delete')
    .summary('delete a document everywhere')
    .description(
      'Deletes a document: gone from lists and search at once, erased everywhere soon after. There is no way back; the file can be sent again.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--yes', 'do not ask')
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText('after', examples({ 'intake delete ID': 'asks before it does' }))
    .action(async (id: string, { yes = false }: { readonly yes?: boolean }) => {
      const client = connect();
      if (!yes && !(await isMeant(terminal, client, id))) {
        terminal.exitCode = exitCodes.interrupted;
        terminal.note('Nothing was deleted.');
        return;
      }
      terminal.answer(
        await client.delete(id),
        ({ status }) =>
          `${id}  ${status}\n  Gone from lists and search; its bytes are being erased.`,
      );
    });
}

async function isMeant(terminal: Terminal, client: ApiClient, id: string): Promise<boolean> {
  if (!terminal.canAsk) {
    throw new IntakeError('INVALID_REQUEST', {
      detail: '--yes: needed where nobody can be asked',
    });
  }
  const { name, sizeBytes, status } = await client.document(id);
  return terminal.confirm(
    `Delete ${oneLine(name)} (${formatBytes(sizeBytes)}, ${status}) everywhere?`,
  );
}
