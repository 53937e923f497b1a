/** `intake upgrade`: an installation of the original system becomes one of Intake, or is gone back to. For operators. */
import { Command } from 'commander';
import { loadDatabaseConfig, loadUpgradeConfig } from '../../config.ts';
import { moveBack } from '../../db/original.ts';
import { createPool, type Pool } from '../../db/pool.ts';
import { SupabaseObjectStore } from '../../storage/supabase-object-store.ts';
import { reasons } from '../../upgrade/fate.ts';
import type { Tally } from '../../upgrade/take-over-bytes.ts';
import type { Group, Upgraded } from '../../upgrade/upgrade.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly rollBack?: boolean;
}

export function upgradeCommand(terminal: Terminal): Command {
  return new Command('upgrade')
    .summary('take over an installation of the original system (operators)')
    .description(
      'Reads the original’s tables in the database of DATABASE_URL, takes over every document in them, and puts Intake’s views in their place. Stop the original’s API and worker first, and start Intake’s afterwards: ops/runbooks/cut-over.md. Whatever breaks it off, run it again; what was taken over stays as it is.',
    )
    .option('--dry-run', 'only say what would become of every document')
    .option('--roll-back', 'put the original’s tables back where they stood; stop Intake first')
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake upgrade --dry-run': 'look first, while the original runs',
        'intake upgrade': 'then do it',
        'intake upgrade --roll-back': 'and if need be, go back',
      }),
    )
    .action(async (options: Options) => {
      if (options.rollBack) await goBack(terminal);
      else if (options.dryRun) await look(terminal);
      else await takeOver(terminal);
    });
}

/** Loaded when it is asked for: no other command should wait for it. */
const upgradeRoom = () => import('../../upgrade/upgrade.ts');

async function look(terminal: Terminal): Promise<void> {
  const { DATABASE_URL } = loadDatabaseConfig();
  const { lookAtOriginal } = await upgradeRoom();
  const groups = await withPool(DATABASE_URL, lookAtOriginal);
  terminal.answer({ groups }, (answer) => describeGroups(answer.groups));
}

async function takeOver(terminal: Terminal): Promise<void> {
  const config = loadUpgradeConfig();
  const { upgrade } = await upgradeRoom();
  const objectStore = new SupabaseObjectStore({
    url: config.SUPABASE_URL,
    serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY,
    bucket: config.SUPABASE_BUCKET,
  });
  const upgraded = await withPool(config.DATABASE_URL, (pool) =>
    upgrade({
      pool,
      objectStore,
      databaseUrl: config.DATABASE_URL,
      uploadLifetimeMs: config.UPLOAD_LIFETIME_SECONDS * 1000,
      maxFileBytes: config.MAX_FILE_BYTES,
      maxMarkdownBytes: config.MAX_MARKDOWN_BYTES,
    }),
  );
  terminal.answer(upgraded, describe);
}

async function goBack(terminal: Terminal): Promise<void> {
  await moveBack(loadDatabaseConfig().DATABASE_URL);
  terminal.answer(
    { rolledBack: true },
    () => 'The original’s tables stand where they stood. Start its API and its worker.',
  );
}

async function withPool<Result>(
  connectionString: string,
  work: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const pool = createPool({ connectionString, size: 2, onIdleError: () => undefined });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

function describe({ groups, originals, markdowns }: Upgraded): string {
  return [
    describeGroups(groups),
    `Bytes of ended documents: ${counted(originals)}`,
    `Their Markdown: ${counted(markdowns)}`,
  ].join('\n');
}

function describeGroups(groups: readonly Group[]): string {
  if (groups.length === 0) return 'The original has no documents.';
  return groups
    .map(({ status, documents, becomes }) =>
      [`${documents}`.padStart(6), status.padEnd(21), reasons[becomes]].join('  '),
    )
    .join('\n');
}

function counted({ proven, absent, different }: Tally): string {
  return `${proven} proven, ${absent} absent, ${different} different`;
}
