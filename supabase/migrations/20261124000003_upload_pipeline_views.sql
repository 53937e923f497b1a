-- The contract that readers of the original system rely on: schema `upload_pipeline` as views over Intake's tables, with
-- the reader's own rights (security_invoker). A step of its own, since it cannot stand beside the original's tables.
do $$
declare
  in_the_way text;
begin
  select string_agg(c.relname, ', ' order by c.relname) into in_the_way
  from pg_class c
  where c.relnamespace = to_regnamespace('upload_pipeline')
    and c.relname in ('documents', 'upload_jobs', 'document_chunks')
    and c.relkind in ('r', 'p');
  if in_the_way is not null then
    raise exception 'take-over needed: the original system''s tables stand in schema upload_pipeline (%)', in_the_way
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'Stop the original''s API and worker, move its tables aside '
          '(alter schema upload_pipeline rename to upload_pipeline_original), then run `intake migrate` again.';
  end if;
end
$$;

create schema if not exists upload_pipeline;

-- The owner's documents, also unfinished ones: old readers show their status.
create view upload_pipeline.documents with (security_invoker = true) as
  select
    d.id as document_id,
    d.owner_id as user_id,
    d.name as filename,
    v.media_type as mime,
    v.size_bytes as bytes_len,
    d.sha256 as file_sha256,
    v.markdown_sha256 as parsed_sha256,
    'files/' || v.original_key as raw_path,
    'storage://files/' || v.markdown_key as parsed_path,
    a.status as processing_status,
    d.created_at,
    greatest(d.updated_at, a.updated_at) as updated_at
  from intake.documents d
  left join intake.versions v on v.id = d.current_version_id
  left join intake.attempts a on a.id = d.current_attempt_id
  where d.deleted_at is null;

-- One job per attempt. The code of a failure is the person's to see; causes and secrets are not here.
create view upload_pipeline.upload_jobs with (security_invoker = true) as
  select
    a.id as job_id,
    a.document_id,
    case
      when a.status = 'awaiting_upload' then 'queued'
      when a.ended_at is null then 'working'
      when a.error_code is null then 'done'
      else 'deadletter'
    end as state,
    a.number - 1 as retry_count,
    case when a.error_code is not null then
      jsonb_build_object('code', a.error_code, 'timestamp', a.ended_at)
    end as last_error,
    a.created_at,
    a.updated_at,
    a.status,
    '{}'::jsonb as progress,
    null::text as webhook_secret,
    g.chunker as chunks_version,
    g.embedding_model as embed_model,
    case when g.id is not null then '1' end as embed_version
  from intake.attempts a
  join intake.documents d on d.id = a.document_id
  left join intake.generations g on g.id = d.live_generation_id and g.version_id = a.version_id
  where d.deleted_at is null;

-- Only what search may find: every row with an embedding is live to the old reader. The joins go through (document,
-- generation), and document_id is the document's own column: with the chunk's, the planner does not see that the user's
-- documents lead to the vectors, and the original's query reads those of all users (6,600 rows: 155 ms, so 10 ms).
create view upload_pipeline.document_chunks with (security_invoker = true) as
  select
    c.id as chunk_id,
    d.id as document_id,
    split_part(g.chunker, '@', 1) as chunker_name,
    split_part(g.chunker, '@', 2) as chunker_version,
    c.ordinal as chunk_ord,
    c.text,
    c.sha256 as chunk_sha,
    g.embedding_model as embed_model,
    '1'::text as embed_version,
    g.dimensions as vector_dim,
    v.embedding,
    v.created_at as embed_updated_at,
    c.created_at,
    v.created_at as updated_at
  from intake.documents d
  join intake.generations g on g.document_id = d.id and g.id = d.live_generation_id
  join intake.vectors_1536 v on v.document_id = d.id and v.generation_id = d.live_generation_id
  join intake.chunks c on c.id = v.chunk_id
  where d.deleted_at is null;

revoke all on schema upload_pipeline from public;
grant usage on schema upload_pipeline to authenticated, service_role;
grant select on upload_pipeline.documents, upload_pipeline.upload_jobs, upload_pipeline.document_chunks
  to authenticated, service_role;
