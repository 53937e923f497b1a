/** `intake redrive`: tries again what a query over runs finds, each document from the stage where it failed. */
import { Command } from 'commander';
import { IntakeError } from '../../domain/errors.ts';
import type { ApiClient, OperatedPage } from '../api-client.ts';
import { actorMeaning, requiredActor } from '../arguments.ts';
import { connect, connectPatiently } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { describeFailure, failureOf } from '../failure-words.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly query: string;
  readonly dryRun?: boolean;
  readonly actor?: string;
}

type Found = OperatedPage['documents'][number];

/** What became of a document that was found, or would become. */
interface Redriven extends Pick<Found, 'documentId' | 'ownerId' | 'status' | 'error'> {
  readonly outcome: 'would be retried' | 'retried' | 'left alone' | 'not retried';
  readonly because?: string;
}

export function redriveCommand(terminal: Terminal): Command {
  return new Command('redrive')
    .summary('try again what a query finds (operators)')
    .description(
      'Tries again every document whose present run the query finds, from the stage where it failed; what was paid for and kept is not paid for again. The query is that of the Temporal UI. What runs, is complete or needs a new upload is left alone.',
    )
    .requiredOption('--query <query>', 'as the Temporal UI takes it')
    .option('--dry-run', 'only say what would be done')
    .option('--actor <name>', actorMeaning)
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        [`intake redrive --query "FailureKind = 'STORAGE_FORBIDDEN'" --dry-run`]: 'look first',
        [`intake redrive --query "FailureKind = 'STORAGE_FORBIDDEN'" --actor ada`]: 'then do it',
      }),
    )
    .action((options: Options) => redrive(terminal, options));
}

async function redrive(
  terminal: Terminal,
  { query, dryRun = false, actor }: Options,
): Promise<void> {
  // Nobody is asked for a name in vain after a long search.
  const retryAs = dryRun ? undefined : requiredActor(actor);
  const found = await findAll(connect(), query);
  const client = connectPatiently(terminal.note);
  const documents: Redriven[] = [];
  for (const document of found) documents.push(await treat(document, client, retryAs));
  if (documents.some(({ outcome }) => outcome === 'not retried')) {
    terminal.exitCode = exitCodes.failed;
  }
  terminal.answer({ dryRun, documents }, (facts) => describe(facts.documents, terminal.paint));
}

/** All of it before the first retry: a retried document has another run, which the query may find as well. */
async function findAll({ operator }: ApiClient, query: string): Promise<readonly Found[]> {
  const found = new Map<string, Found>();
  let cursor: string | undefined;
  do {
    const page = await operator.findByRuns({ query, cursor });
    for (const document of page.documents) found.set(document.documentId, document);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return [...found.values()];
}

async function treat(
  { documentId, ownerId, status, error, mayRetry }: Found,
  { operator }: ApiClient,
  actor: string | undefined,
): Promise<Redriven> {
  const facts = { documentId, ownerId, status, error };
  if (!mayRetry) return { ...facts, outcome: 'left alone', because: whyNot[status] ?? 'it runs' };
  if (actor === undefined) return { ...facts, outcome: 'would be retried' };
  try {
    const retried = await operator.retry(documentId, { actor });
    return { ...facts, status: retried.status, outcome: 'retried' };
  } catch (fault) {
    if (!(fault instanceof IntakeError)) throw fault;
    return { ...facts, outcome: 'not retried', because: describeFailure(failureOf(fault)) };
  }
}

const needsUpload = 'it needs a new upload';
const whyNot: Partial<Record<Found['status'], string>> = {
  complete: 'it is complete',
  upload_expired: needsUpload,
  upload_rejected: needsUpload,
  cancelled: needsUpload,
};

function describe(documents: readonly Redriven[], paint: Terminal['paint']): string {
  if (documents.length === 0) return 'The query finds no document whose present run it is.';
  const styles = {
    'would be retried': 'yellow',
    retried: 'green',
    'left alone': 'dim',
    'not retried': 'red',
  } as const satisfies Record<Redriven['outcome'], string>;
  const lines = documents.map(({ documentId, status, error, outcome, because }) => {
    const said = because === undefined ? outcome : `${outcome}: ${because}`;
    return [documentId, status, error?.code, paint(styles[outcome], said)]
      .filter(Boolean)
      .join('  ');
  });
  const counted = Object.keys(styles).flatMap((outcome) => {
    const count = documents.filter((document) => document.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  return [...lines, counted.join(', ')].join('\n');
}
