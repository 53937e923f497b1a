/** Tells one database from another without telling where it is or how it is called. */
import { createHash } from 'node:crypto';
import type { Queryable } from './pool.ts';

/** The same for everybody who is connected to this database, whatever the way. */
export async function databaseFingerprint(q: Queryable): Promise<string> {
  const { rows } = await q.query<{ place: string }>(
    `select concat_ws('/', (select system_identifier from pg_control_system()), oid, datname) as place
     from pg_database where datname = current_database()`,
  );
  return createHash('sha256')
    .update(rows[0]?.place ?? '')
    .digest('hex')
    .slice(0, 12);
}
