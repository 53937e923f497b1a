/** The database answers to DATABASE_URL's name and password. */
import type { Check } from '../check.ts';

export const databaseConnection: Check = {
  name: 'database: connection',
  mend: {
    unavailable:
      'Check host and port in DATABASE_URL, and whether Postgres is up and reached from here.',
    forbidden: 'Check user and password in DATABASE_URL, and the server’s pg_hba.conf.',
    absent: 'Check the database’s name in DATABASE_URL, or create it.',
  },
  run: async ({ pool }) => {
    const { rows } = await pool.query<{ server_version: string }>('show server_version');
    return `Postgres ${rows[0]?.server_version}`;
  },
};
