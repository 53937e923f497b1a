/** What the migrations have left in the catalogue: who may read what, and that SQL and domain speak of the same statuses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pool } from '../../src/db/pool.ts';
import { canMove, isTerminal, moves, statuses } from '../../src/domain/ingestion.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addDocument, newOwner } from '../support/library.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

/** Relations that let through what they should not, each with the reason. */
async function exposed(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ fault: string }>(
    `with relation as (
       select c.oid, c.relkind, c.relrowsecurity, c.reloptions, c.relacl, n.nspname, c.relowner,
              format('%s.%s', n.nspname, c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('intake', 'upload_pipeline') and c.relkind in ('r', 'p', 'v', 'm', 'f'))
     select name || ' has no row-level security' as fault from relation
       where relkind in ('r', 'p') and not relrowsecurity
     union all
     select name || ' reads with its owner''s rights' from relation
       where relkind = 'v' and not coalesce('security_invoker=true' = any(reloptions), false)
     union all
     select name || ' cannot have row-level security' from relation where relkind in ('m', 'f')
     union all
     select name || ' is open to ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
       from relation, aclexplode(relacl) a
       where a.grantee = 0 or a.grantee = 'anon'::regrole
     union all
     select name || ' can be changed by authenticated' from relation, aclexplode(relacl) a
       where a.grantee = 'authenticated'::regrole and a.privilege_type <> 'SELECT'
     order by fault`,
  );
  return rows.map(({ fault }) => fault);
}

describe('rights', () => {
  it('expose nothing', async () => {
    expect(await exposed()).toEqual([]);
  });

  it('are seen to be wrong when they are', async () => {
    await pool.query(`
      create table intake.bare (id int);
      create view upload_pipeline.plain as select 1 as one;
      grant select on upload_pipeline.plain to anon, public;
      grant update on upload_pipeline.documents to authenticated`);
    expect(await exposed()).toEqual([
      'intake.bare has no row-level security',
      'upload_pipeline.documents can be changed by authenticated',
      'upload_pipeline.plain is open to anon',
      'upload_pipeline.plain is open to public',
      "upload_pipeline.plain reads with its owner's rights",
    ]);
    await pool.query(`
      drop table intake.bare;
      drop view upload_pipeline.plain;
      revoke update on upload_pipeline.documents from authenticated`);
    expect(await exposed()).toEqual([]);
  });

  it('keep anonymous callers out of both schemas', async () => {
    const { rows } = await pool.query(
      `select s.schema, has_schema_privilege('anon', s.schema, 'usage') as open
       from (values ('intake'), ('upload_pipeline')) s (schema) order by s.schema`,
    );
    expect(rows).toEqual([
      { schema: 'intake', open: false },
      { schema: 'upload_pipeline', open: false },
    ]);
  });
});

describe('statuses', () => {
  it('are those of the domain, and so are the moves', async () => {
    const listed = await pool.query('select status, terminal from intake.statuses');
    expect(new Map(listed.rows.map((row) => [row.status, row.terminal]))).toEqual(
      new Map(statuses.map((status) => [status, isTerminal(status)])),
    );
    const legal = await pool.query('select from_status, to_status from intake.status_moves');
    expect(new Set(legal.rows.map((row) => `${row.from_status} > ${row.to_status}`))).toEqual(
      new Set(statuses.flatMap((from) => moves[from].map((to) => `${from} > ${to}`))),
    );
  });

  it('are guarded by the trigger exactly as the domain says', async () => {
    const { attemptId } = await addDocument(pool, newOwner());
    await pool.query(`
      create function public.accepted_moves(attempt uuid) returns setof text language plpgsql as $$
      declare
        pair record;
      begin
        for pair in
          select f.status as origin, t.status as target
          from intake.statuses f cross join intake.statuses t where f.status <> t.status
        loop
          begin
            alter table intake.attempts disable trigger guard_status_move;
            update intake.attempts set status = pair.origin, ended_at = null where id = attempt;
            alter table intake.attempts enable trigger guard_status_move;
            update intake.attempts set status = pair.target where id = attempt;
            return next pair.origin || ' > ' || pair.target;
          exception when check_violation then
            null;
          end;
        end loop;
      end $$`);
    const { rows } = await pool.query<{ move: string }>(
      'select public.accepted_moves($1) as move',
      [attemptId],
    );
    const legal = statuses.flatMap((from) =>
      statuses.filter((to) => canMove(from, to)).map((to) => `${from} > ${to}`),
    );
    expect(rows.map(({ move }) => move).sort()).toEqual(legal.sort());
  });

  it('refuse a word that is none, and write each move into the timeline', async () => {
    const { attemptId } = await addDocument(pool, newOwner());
    await expect(
      pool.query(`update intake.attempts set status = 'queued' where id = $1`, [attemptId]),
    ).rejects.toMatchObject({ code: '23514' });
    await pool.query(`update intake.attempts set status = 'cancelled' where id = $1`, [attemptId]);
    const { rows } = await pool.query(
      `select e.status, a.ended_at is not null as ended
       from intake.events e join intake.attempts a on a.id = e.attempt_id
       where a.id = $1 order by e.id`,
      [attemptId],
    );
    expect(rows).toEqual([
      { status: 'chunks_stored', ended: true },
      { status: 'cancelled', ended: true },
    ]);
  });
});

describe('invariants', () => {
  const codeOf = (statement: string, values: readonly unknown[]) =>
    pool.query(statement, [...values]).then(
      () => undefined,
      (error: { code?: string; constraint?: string }) => error.constraint ?? error.code,
    );

  it('hold one live document per owner and content', async () => {
    const { id } = await addDocument(pool, newOwner());
    const copy = `insert into intake.documents (id, owner_id, name, sha256)
      select gen_random_uuid(), owner_id, name, sha256 from intake.documents where id = $1`;
    expect(await codeOf(copy, [id])).toBe('documents_one_live_per_content');
    const tombstone = `update intake.documents set deleted_at = now() where id = $1`;
    expect(await codeOf(tombstone, [id])).toBeUndefined();
    expect(await codeOf(copy, [id])).toBeUndefined();
  });

  it('hold chunks and vectors to a generation of the same document and owner', async () => {
    const [mine, other] = [
      await addDocument(pool, newOwner()),
      await addDocument(pool, newOwner()),
    ];
    const generation = `insert into intake.generations
      (id, document_id, owner_id, version_id, markdown_sha256, chunker, tokenizer, max_tokens, embedding_model,
       dimensions, chunk_count)
      values (gen_random_uuid(), $1, $2, $3, 'x', 'c@1', 't', 256, 'm', $4, 1)`;
    const { id, ownerId, versionId } = mine;
    expect(await codeOf(generation, [id, ownerId, versionId, 384])).toBeUndefined();
    expect(await codeOf(generation, [id, other.ownerId, versionId, 384])).toMatch(/owner_id_fkey$/);
    expect(await codeOf(generation, [id, ownerId, other.versionId, 384])).toMatch(
      /version_id_fkey$/,
    );
    expect(await codeOf(generation, [id, ownerId, versionId, 768])).toMatch(/dimensions_check$/);
    const live = `update intake.documents d set live_generation_id = g.id, deleted_at = $2
      from intake.generations g where g.document_id = d.id and d.id = $1`;
    expect(await codeOf(live, [id, new Date()])).toMatch(/check/);
  });
});
