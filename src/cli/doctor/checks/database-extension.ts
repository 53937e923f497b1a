/** pgvector is installed, and young enough for the index that search uses. */
import { type Check, Ill } from '../check.ts';

/** The first with HNSW. */
const LEAST = [0, 5] as const;

export const databaseExtension: Check = {
  name: 'database: pgvector',
  needs: ['database: connection'],
  mend: {
    absent:
      'Install pgvector on the server where it is not available, then run `create extension vector` in this database as a superuser; or run `intake migrate` as a role that may.',
    outdated: 'Update pgvector on the server, then run `alter extension vector update`.',
  },
  run: async ({ pool }) => {
    const { rows } = await pool.query<{ installed: string | null; available: string }>(
      `select installed_version as installed, default_version as available
       from pg_available_extensions where name = 'vector'`,
    );
    const [extension] = rows;
    if (extension === undefined) throw new Ill('absent', 'not available on this server');
    const { installed, available } = extension;
    if (installed === null) throw new Ill('absent', `${available} is available, and not created`);
    const [major = 0, minor = 0] = installed.split('.').map(Number);
    if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
      throw new Ill('outdated', `${installed}, at least ${LEAST.join('.')} is needed`);
    }
    return installed;
  },
};
