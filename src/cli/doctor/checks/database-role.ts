/** The API reads as `authenticated`, so that row-level security decides: the login role must be able to become it. */
import { randomUUID } from 'node:crypto';
import { asOwner } from '../../../db/pool.ts';
import type { OwnerId } from '../../../domain/ids.ts';
import { type Check, Ill } from '../check.ts';

export const databaseRole: Check = {
  name: 'database: row-level security',
  needs: ['database: schema'],
  mend: {
    forbidden:
      'Run `grant authenticated to` the user of DATABASE_URL, as a role that may, and look whether another migration took rights from `authenticated`.',
    'too open': 'Row-level security does not hold `authenticated`: take BYPASSRLS from it.',
  },
  run: async ({ pool }) => {
    // Of somebody who owns nothing.
    const seen = await asOwner(pool, randomUUID() as OwnerId, async (transaction) => {
      const { rowCount } = await transaction.query('select from intake.documents limit 1');
      return rowCount ?? 0;
    });
    if (seen > 0) throw new Ill('too open', 'a stranger sees documents');
    return 'a stranger sees nothing';
  },
};
