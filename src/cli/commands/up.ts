/** `intake up`. The local stack is loaded only when it is asked for: production runs without it. */
import { Command } from 'commander';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly port?: string;
}

export function upCommand(terminal: Terminal): Command {
  return new Command('up')
    .summary('run all of Intake on this machine')
    .description(
      'Runs Intake on this machine with everything it needs, ingests a sample and every FILE, asks the sample a question, and stays up until Ctrl-C. Whatever the environment gives (DATABASE_URL, TEMPORAL_ADDRESS, SUPABASE_URL, LLAMA_CLOUD_API_KEY, EMBEDDINGS_URL) is used instead of a part of its own.',
    )
    .argument('[files...]', 'documents to ingest beside the sample')
    .option('--once', 'stop when the documents have ended')
    .option('--json', 'one JSON object on stdout, and nothing else')
    .option('--yes', 'migrate and fill a database that is not on this machine')
    .option('--port <port>', 'port of the API')
    .addHelpText(
      'after',
      examples({
        'intake up': 'start, and stay up',
        'intake up plan.pdf letter.docx': 'and ingest documents of your own',
        'intake up --once --json': 'for scripts: one run, one result',
      }),
    )
    .action(async (files: string[], options: Options) => {
      const { once = false, json = false, yes = false, port } = options;
      const { up } = await import('../../dev/up.ts');
      terminal.exitCode = await up({ files, once, json, yes, port });
    });
}
