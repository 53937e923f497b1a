/** Rows of complete documents, many at a time, with what stands around them; and a handful that reconciliation is for. */
import type { Pool } from '../../src/db/pool.ts';

const OWNERS_SHARE = 10;
const BATCH = 10_000;

/** Ten documents an owner, each with its version, attempt, two objects, a parse job, a generation and a chunk. */
export async function fill(pool: Pool, documents: number): Promise<void> {
  for (let from = 0; from < documents; from += BATCH) {
    const to = Math.min(documents, from + BATCH) - 1;
    await pool.query(
      'begin; set local session_replication_role = replica; '.concat(rows(from, to), '; commit'),
    );
  }
  await pool.query('analyze');
}

/** Ids follow from the number and the place; constraints and triggers are not asked. */
function rows(from: number, to: number): string {
  const id = (place: number) =>
    `(lpad(to_hex(n * 16 + ${place}), 8, '0') || '-0000-4000-8000-000000000000')::uuid`;
  const owner = `('0' || lpad(to_hex(n / ${OWNERS_SHARE}), 7, '0') || '-0000-4000-8000-000000000001')::uuid`;
  const all = `from generate_series(${from}, ${to}) n`;
  const sha = `encode(sha256(n::text::bytea), 'hex')`;
  const original = `'originals/' || ${owner} || '/' || ${id(0)} || '/' || ${id(5)}`;
  const markdown = `'parsed/' || ${owner} || '/' || ${id(0)} || '/' || ${sha} || '.md'`;
  const ago = `now() - interval '1 day'`;
  return [
    `insert into intake.documents (id, owner_id, name, sha256, current_version_id, current_attempt_id, live_generation_id, updated_at)
     select ${id(0)}, ${owner}, 'a.pdf', ${sha}, ${id(1)}, ${id(2)}, ${id(4)}, ${ago} ${all}`,
    `insert into intake.versions (id, document_id, owner_id, number, sha256, size_bytes, media_type, original_key, verified_at,
       markdown_key, markdown_sha256, markdown_bytes, page_count, parsed_by, parsed_at)
     select ${id(1)}, ${id(0)}, ${owner}, 1, ${sha}, 1000, 'application/pdf', ${original}, ${ago}, ${markdown}, ${sha}, 1000, 1, ${id(3)}, ${ago} ${all}`,
    `insert into intake.attempts (id, document_id, owner_id, version_id, number, start_stage, status, correlation_id, run_id, updated_at, ended_at)
     select ${id(2)}, ${id(0)}, ${owner}, ${id(1)}, 1, 'verify', 'complete', ${id(2)}, 'run', ${ago}, ${ago} ${all}`,
    `insert into intake.objects (key, document_id, owner_id, attempt_id, kind)
     select ${original}, ${id(0)}, ${owner}, ${id(2)}, 'original' ${all}`,
    `insert into intake.objects (key, document_id, owner_id, kind) select ${markdown}, ${id(0)}, ${owner}, 'parsed' ${all}`,
    `insert into intake.parse_jobs (id, document_id, owner_id, version_id, made_by, options_fingerprint, state, provider_job_id, ended_at, forgotten_at)
     select ${id(3)}, ${id(0)}, ${owner}, ${id(1)}, ${id(2)}, 'options', 'completed', 'pjb-' || n, ${ago}, ${ago} ${all}`,
    `insert into intake.attempt_parse_jobs (attempt_id, parse_job_id, adopted) select ${id(2)}, ${id(3)}, false ${all}`,
    `insert into intake.generations (id, document_id, owner_id, version_id, markdown_sha256, chunker, tokenizer, max_tokens, embedding_model, dimensions, chunk_count)
     select ${id(4)}, ${id(0)}, ${owner}, ${id(1)}, ${sha}, 'c', 't', 256, 'm', 384, 1 ${all}`,
    `insert into intake.chunks (id, generation_id, document_id, owner_id, ordinal, text, start_offset, end_offset, page_from, page_to, token_count, sha256, text_search_config, lexemes)
     select ${id(6)}, ${id(4)}, ${id(0)}, ${owner}, 0, 'text', 0, 4, 1, 1, 1, ${sha}, 'simple', 'text'::tsvector ${all}`,
  ].join('; ');
}

/** So many of each of four kinds. */
export async function damage(pool: Pool, count: number): Promise<void> {
  const some = (table: string, offset: number) =>
    `(select id from intake.${table} order by id offset ${offset * count} limit ${count})`;
  await pool.query(`
    begin;
    set local session_replication_role = replica;
    update intake.attempts set status = 'parse_queued', ended_at = null, updated_at = now() - interval '1 day' where id in ${some('attempts', 0)};
    update intake.documents set deleted_at = now() - interval '1 day', erase_run_id = 'lost', live_generation_id = null where id in ${some('documents', 1)};
    update intake.parse_jobs set forgotten_at = null where id in ${some('parse_jobs', 2)};
    delete from intake.documents where id in ${some('documents', 3)};
    commit`);
}
