/** What the rows alone can say. Each statement selects the ids that break the rule; `$1` are the owners looked at. */
import type { Check } from './scene.ts';

interface RowCheck extends Omit<Check, 'find'> {
  readonly sql: string;
}

const statements: readonly RowCheck[] = [
  {
    invariant: 1,
    name: 'one live document per owner and content',
    sql: `select string_agg(id::text, ' ') as what from intake.documents
          where owner_id = any($1) and deleted_at is null group by owner_id, sha256 having count(*) > 1`,
  },
  {
    invariant: 1,
    name: 'the live generation was completed',
    sql: `select d.id as what from intake.documents d
          left join intake.generations g on g.id = d.live_generation_id and g.document_id = d.id
          where d.owner_id = any($1) and d.live_generation_id is not null and g.completed_at is null`,
  },
  {
    invariant: 2,
    name: 'no chunk without a live document',
    sql: `select distinct c.document_id as what from intake.chunks c left join intake.documents d on d.id = c.document_id
          where c.owner_id = any($1) and (d.id is null or d.deleted_at is not null)`,
  },
  {
    invariant: 3,
    name: 'nothing follows an end',
    sql: `select distinct e.attempt_id as what from intake.events e
          join intake.statuses s on s.status = e.status and s.terminal
          join intake.events later on later.attempt_id = e.attempt_id and later.kind = 'status' and later.id > e.id
          where e.kind = 'status' and e.owner_id = any($1)`,
  },
  {
    invariant: 3,
    name: 'an end has its instant, and nothing else has one',
    sql: `select a.id as what from intake.attempts a join intake.statuses s using (status)
          where a.owner_id = any($1) and s.terminal <> (a.ended_at is not null)`,
  },
  {
    invariant: 4,
    name: 'a tombstone has no successor of its content',
    sql: `select distinct d.id as what from intake.documents d
          left join intake.generations g on g.document_id = d.id and g.created_at > d.deleted_at
          left join intake.attempts a on a.document_id = d.id
            and (a.created_at > d.deleted_at or a.ended_at is null)
          where d.owner_id = any($1) and d.deleted_at is not null and (g.id is not null or a.id is not null)`,
  },
  {
    invariant: 4,
    name: 'a tombstone keeps neither name nor hash',
    sql: `select id as what from intake.documents
          where owner_id = any($1) and deleted_at is not null and (name <> '' or sha256 is not null)`,
  },
  {
    invariant: 6,
    name: 'each status follows legally from the one before',
    sql: `select distinct e.attempt_id as what
          from (select attempt_id, status, lag(status) over (partition by attempt_id order by id) as before
                from intake.events where kind = 'status' and owner_id = any($1)) e
          where e.before is not null and not exists (
            select from intake.status_moves m where m.from_status = e.before and m.to_status = e.status)`,
  },
  {
    invariant: 6,
    name: 'the status is the last one of the timeline',
    sql: `select a.id as what from intake.attempts a
          where a.owner_id = any($1) and a.status is distinct from (
            select e.status from intake.events e where e.attempt_id = a.id and e.kind = 'status' order by e.id desc limit 1)`,
  },
  {
    invariant: 8,
    name: 'a failure has a code',
    sql: `select id as what from intake.attempts
          where owner_id = any($1) and error_code is null
            and (status like 'failed%' or status in ('upload_expired', 'upload_rejected'))`,
  },
  {
    invariant: 8,
    name: 'no wait outlives its deadline',
    sql: `select id as what from intake.attempts
          where owner_id = any($1) and ended_at is null
            and (deadline_at < now() - interval '1 minute'
                 or (status = 'awaiting_upload' and coalesce(upload_expires_at, 'epoch') < now() - interval '1 minute'))`,
  },
  {
    invariant: 9,
    name: 'whatever is of a document is of its owner',
    sql: `select distinct d.id as what from intake.documents d
          left join intake.vectors_384 v on v.document_id = d.id and v.owner_id <> d.owner_id
          left join intake.generations g on g.document_id = d.id
          left join intake.generation_terms t on t.generation_id = g.id and t.owner_id <> d.owner_id
          left join intake.objects o on o.document_id = d.id
            and (split_part(o.key, '/', 2) <> d.owner_id::text or split_part(o.key, '/', 3) <> d.id::text)
          where d.owner_id = any($1) and (v.chunk_id is not null or t.lexeme is not null or o.key is not null)`,
  },
  {
    invariant: 11,
    name: 'a complete document has all its chunks, vectors and postings',
    sql: `select d.id as what from intake.documents d
          join intake.attempts a on a.id = d.current_attempt_id and a.status = 'complete'
          left join intake.generations g on g.id = d.live_generation_id
          where d.owner_id = any($1) and d.deleted_at is null and (
            g.id is null
            or g.chunk_count <> (select count(*) from intake.chunks c where c.generation_id = g.id)
            or g.chunk_count <> (select count(*) from intake.vectors_384 v where v.generation_id = g.id)
            or not exists (select from intake.generation_terms t where t.generation_id = g.id))`,
  },
  {
    invariant: 12,
    name: 'every accepted document has ended',
    sql: `select concat(document_id, ' is ', status) as what from intake.attempts
          where owner_id = any($1) and ended_at is null`,
  },
];

export const rowChecks: readonly Check[] = statements.map(({ sql, ...check }) => ({
  ...check,
  find: async ({ database, owners }) => {
    const { rows } = await database.query<{ what: string }>(sql, [owners]);
    return rows.map(({ what }) => what);
  },
}));
