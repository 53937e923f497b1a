/** `intake migrate`: brings the database of DATABASE_URL up to this version. */
import { Command } from 'commander';
import { loadDatabaseConfig } from '../../config.ts';
import { migrate, pendingMigrations } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function migrateCommand(terminal: Terminal): Command {
  return new Command('migrate')
    .summary('bring the database up to this version')
    .description(
      'Applies the migrations that the database of DATABASE_URL has not, each in its own transaction. `intake up` does it for a database of its own.',
    )
    .option('--dry-run', 'only say which are missing')
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'DATABASE_URL=postgres://… intake migrate --dry-run': 'look first',
        'DATABASE_URL=postgres://… intake migrate': 'then do it',
      }),
    )
    .action(async ({ dryRun = false }: { readonly dryRun?: boolean }) => {
      const { DATABASE_URL } = loadDatabaseConfig();
      if (dryRun) {
        const pending = await findPending(DATABASE_URL);
        terminal.answer({ pending }, (answer) => listed('Missing', answer.pending));
      } else {
        const applied = await migrate(DATABASE_URL);
        terminal.answer({ applied }, (answer) => listed('Applied', answer.applied));
      }
    });
}

async function findPending(connectionString: string): Promise<readonly string[]> {
  const pool = createPool({ connectionString, size: 1, onIdleError: () => undefined });
  try {
    return await pendingMigrations(pool);
  } finally {
    await pool.end();
  }
}

function listed(title: string, names: readonly string[]): string {
  if (names.length === 0) return 'The database is up to date.';
  return [`${title}:`, ...names.map((name) => `  ${name}`)].join('\n');
}
