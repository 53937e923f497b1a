/** The index that search reads over the vectors of this width is there and whole. */
import { vectorTable } from '../../../db/vectors.ts';
import { type Check, Ill } from '../check.ts';

export const databaseIndex: Check = {
  name: 'database: vector index',
  needs: ['database: schema', 'database: pgvector'],
  mend: {
    absent: 'Create it as supabase/migrations/20261124000002_intake.sql does, with `concurrently`.',
    corrupt: 'An index was built only in part: `reindex index concurrently` makes it anew.',
  },
  run: async ({ pool, config }) => {
    const table = vectorTable(config.EMBEDDINGS_DIMENSIONS);
    const { rows } = await pool.query<{ name: string; whole: boolean }>(
      `select c.relname as name, i.indisvalid and i.indisready as whole
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
       join pg_class t on t.oid = i.indrelid join pg_namespace s on s.oid = t.relnamespace
       where format('%s.%s', s.nspname, t.relname) = $1 and a.amname = 'hnsw'`,
      [table],
    );
    const [index] = rows;
    if (index === undefined) throw new Ill('absent', `${table} has no HNSW index`);
    if (!index.whole) throw new Ill('corrupt', `${index.name} is not valid`);
    return index.name;
  },
};
