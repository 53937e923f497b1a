/** The database has every migration of this version. */
import { pendingMigrations } from '../../../db/migrate.ts';
import { type Check, Ill } from '../check.ts';

export const databaseSchema: Check = {
  name: 'database: schema',
  needs: ['database: connection'],
  mend: {
    outdated: 'Run `intake migrate`.',
    forbidden: 'Let the user of DATABASE_URL be the one that migrated, or give it the same rights.',
  },
  run: async ({ pool }) => {
    const pending = await pendingMigrations(pool);
    if (pending.length > 0) throw new Ill('outdated', `missing: ${pending.join(', ')}`);
    return 'up to date';
  },
};
