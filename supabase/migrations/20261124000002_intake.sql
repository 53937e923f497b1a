-- Intake's own tables. Schema `intake` is exposed by no client API; the views of the next step are the only way in
-- from outside. Every table has row-level security; writes come from the API's and the worker's login role alone.
create schema intake;

-- pgvector may live in `public`, `extensions` or elsewhere: names below resolve wherever it is.
do $$
begin
  perform set_config(
    'search_path',
    format('intake, %I, pg_catalog',
      (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector')),
    true);
end
$$;

-- The life of an attempt as data: the same table as src/domain/ingestion.ts, compared by a test.
create table intake.statuses (
  status text primary key,
  terminal boolean not null
);
create table intake.status_moves (
  from_status text not null references intake.statuses,
  to_status text not null references intake.statuses,
  primary key (from_status, to_status)
);

insert into intake.statuses (status, terminal) values
  ('awaiting_upload', false), ('uploaded', false), ('parse_queued', false), ('parsed', false),
  ('parse_validated', false), ('chunking', false), ('chunks_stored', false), ('embedding_queued', false),
  ('embedding_in_progress', false), ('embeddings_stored', false),
  ('complete', true), ('upload_expired', true), ('upload_rejected', true), ('failed_storage', true),
  ('failed_parse', true), ('failed_chunking', true), ('failed_embedding', true), ('cancelled', true),
  ('deleted', true), ('duplicate', true);

insert into intake.status_moves (from_status, to_status) values
  ('awaiting_upload', 'uploaded'), ('awaiting_upload', 'upload_expired'),
  ('awaiting_upload', 'upload_rejected'), ('awaiting_upload', 'failed_storage'),
  ('uploaded', 'parse_queued'), ('uploaded', 'failed_storage'), ('uploaded', 'failed_parse'),
  ('parse_queued', 'parsed'), ('parse_queued', 'failed_storage'), ('parse_queued', 'failed_parse'),
  ('parsed', 'parse_validated'), ('parsed', 'failed_storage'), ('parsed', 'failed_parse'),
  ('parse_validated', 'chunking'), ('parse_validated', 'failed_storage'), ('parse_validated', 'failed_chunking'),
  ('chunking', 'chunks_stored'), ('chunking', 'failed_storage'), ('chunking', 'failed_chunking'),
  ('chunks_stored', 'embedding_queued'), ('chunks_stored', 'failed_embedding'),
  ('embedding_queued', 'embedding_in_progress'), ('embedding_queued', 'failed_embedding'),
  ('embedding_in_progress', 'embeddings_stored'), ('embedding_in_progress', 'failed_embedding'),
  ('embeddings_stored', 'complete'), ('embeddings_stored', 'failed_embedding');
insert into intake.status_moves (from_status, to_status)
  select s.status, will.status
  from intake.statuses s
  cross join (values ('cancelled'), ('deleted')) as will (status)
  where not s.terminal;

-- A document: an owner's logical file. A deleted one stays as a tombstone without name and hash.
create table intake.documents (
  id uuid primary key,
  owner_id uuid not null,
  incarnation integer not null default 1 check (incarnation >= 1),
  name text not null,
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  text_search_config text not null default 'simple',
  current_version_id uuid,
  current_attempt_id uuid,
  live_generation_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  erase_run_id text,
  erased_at timestamptz,
  unique (id, owner_id),
  check (deleted_at is not null or sha256 is not null),
  check (deleted_at is null or live_generation_id is null)
);
create unique index documents_one_live_per_content on intake.documents (owner_id, sha256) where deleted_at is null;
-- The erasures' outbox: tombstones that are not erased yet.
create index documents_unerased on intake.documents (deleted_at) where deleted_at is not null and erased_at is null;
create index documents_by_owner on intake.documents (owner_id, created_at desc, id desc);

-- A version: one content. Size and type are claims until verified_at is set.
create table intake.versions (
  id uuid primary key,
  document_id uuid not null,
  owner_id uuid not null,
  number integer not null check (number >= 1),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size_bytes bigint not null check (size_bytes >= 0),
  media_type text not null,
  original_key text,
  verified_at timestamptz,
  markdown_key text,
  markdown_sha256 text check (markdown_sha256 ~ '^[0-9a-f]{64}$'),
  markdown_bytes bigint,
  page_count integer,
  page_offsets integer[] not null default '{}',
  failed_pages integer[] not null default '{}',
  parsed_by uuid,
  parsed_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  unique (document_id, number),
  unique (document_id, sha256),
  unique (document_id, id),
  check ((verified_at is null) = (original_key is null)),
  check ((parsed_at is null) = (markdown_sha256 is null))
);

-- An attempt: one run for one version. The status row is a projection of the run that run_id names;
-- every write of a worker is fenced by (id, run_id).
create table intake.attempts (
  id uuid primary key,
  document_id uuid not null,
  owner_id uuid not null,
  version_id uuid not null,
  number integer not null check (number >= 1),
  start_stage text not null check (start_stage in ('verify', 'parse', 'collect', 'embed')),
  status text not null references intake.statuses,
  correlation_id uuid not null,
  upload_expires_at timestamptz,
  -- Somebody said that the bytes are there: kept here, so that a lost start or signal is made good by the sweep.
  confirmed_at timestamptz,
  confirm_sent_at timestamptz,
  -- Bytes that arrived were not what was declared: kept, since their key is not looked at again.
  refused_code text,
  run_id text,
  looks integer not null default 0,
  -- What the run waits for, in a code; null while it works.
  waiting_code text,
  waiting_detail text,
  waiting_since timestamptz,
  next_try_at timestamptz,
  deadline_at timestamptz,
  failed_stage text check (failed_stage in ('verify', 'parse', 'collect', 'chunk', 'embed', 'complete')),
  error_code text,
  error_detail text,
  stop_sent_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  foreign key (document_id, version_id) references intake.versions (document_id, id) on delete cascade,
  unique (document_id, number),
  unique (document_id, id)
);
-- The outbox: rows whose run has not been started (or not been stamped) yet.
create index attempts_unstarted on intake.attempts (created_at) where run_id is null and ended_at is null;
-- Runs that must be told to stop: the row says so, Temporal may not have heard it.
create index attempts_unstopped on intake.attempts (ended_at)
  where status in ('cancelled', 'deleted') and stop_sent_at is null;
-- Confirms that Temporal may not have heard.
create index attempts_unconfirmed on intake.attempts (confirmed_at)
  where status = 'awaiting_upload' and confirmed_at is not null and confirm_sent_at is null;
create index attempts_unfinished_uploads on intake.attempts (owner_id) where status = 'awaiting_upload';

alter table intake.documents
  add foreign key (id, current_version_id) references intake.versions (document_id, id) deferrable initially deferred,
  add foreign key (id, current_attempt_id) references intake.attempts (document_id, id) deferrable initially deferred;

create function intake.guard_status_move() returns trigger
  language plpgsql
  set search_path = ''
  as $$
begin
  if new.status is distinct from old.status then
    if not exists (
      select from intake.status_moves m where m.from_status = old.status and m.to_status = new.status
    ) then
      raise exception 'illegal status move from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    if (select s.terminal from intake.statuses s where s.status = new.status) then
      new.ended_at := coalesce(new.ended_at, now());
    end if;
  end if;
  new.updated_at := now();
  return new;
end
$$;
create trigger guard_status_move before update on intake.attempts
  for each row execute function intake.guard_status_move();

-- What happened to a document, for its timeline. Codes, counts and words; no text of a document.
create table intake.events (
  id bigint generated always as identity primary key,
  document_id uuid not null,
  owner_id uuid not null,
  attempt_id uuid not null,
  at timestamptz not null default clock_timestamp(),
  kind text not null check (kind in ('status', 'wait', 'race', 'command')),
  status text references intake.statuses,
  code text,
  detail text,
  actor text,
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  foreign key (document_id, attempt_id) references intake.attempts (document_id, id) on delete cascade
);
create index events_by_document on intake.events (document_id, id);

-- A status change and its line in the timeline are one write.
create function intake.record_status_event() returns trigger
  language plpgsql
  set search_path = ''
  as $$
begin
  insert into intake.events (document_id, owner_id, attempt_id, kind, status, code, detail)
  values (new.document_id, new.owner_id, new.id, 'status', new.status, new.error_code, new.error_detail);
  return null;
end
$$;
create trigger record_birth after insert on intake.attempts
  for each row execute function intake.record_status_event();
create trigger record_status_move after update of status on intake.attempts
  for each row when (new.status is distinct from old.status) execute function intake.record_status_event();

-- Every object key of a document, written down before the first byte goes there, so that erasure misses none.
create table intake.objects (
  key text primary key,
  document_id uuid not null,
  owner_id uuid not null,
  attempt_id uuid,
  kind text not null check (kind in ('upload', 'original', 'parsed')),
  url_expires_at timestamptz,
  created_at timestamptz not null default now(),
  -- Done with: nobody looks there any more. Swept: removed once more after its URL could no longer bring it back.
  removed_at timestamptz,
  swept_at timestamptz,
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  check ((kind = 'upload') = (url_expires_at is not null))
);
create index objects_unswept on intake.objects (url_expires_at) where removed_at is not null and swept_at is null;
create index objects_by_document on intake.objects (document_id, kind, created_at desc);

-- A parse job: one paid call, written down before it is made.
create table intake.parse_jobs (
  id uuid primary key,
  document_id uuid not null,
  owner_id uuid not null,
  version_id uuid not null,
  made_by uuid not null,
  options_fingerprint text not null,
  state text not null default 'submitting'
    check (state in ('submitting', 'submitted', 'completed', 'failed', 'cancelled', 'expired')),
  provider_job_id text unique,
  provider_file_id text,
  credits numeric,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  ended_at timestamptz,
  forgotten_at timestamptz,
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  foreign key (document_id, version_id) references intake.versions (document_id, id) on delete cascade,
  foreign key (document_id, made_by) references intake.attempts (document_id, id) on delete cascade,
  check (state = 'submitting' or provider_job_id is not null or ended_at is not null)
);
create index parse_jobs_by_version on intake.parse_jobs (version_id, created_at desc);
-- The parse jobs whose answers an attempt listens to: those that it made or adopted.
create table intake.attempt_parse_jobs (
  attempt_id uuid not null references intake.attempts on delete cascade,
  parse_job_id uuid not null references intake.parse_jobs on delete cascade,
  adopted boolean not null,
  primary key (attempt_id, parse_job_id)
);
create index attempt_parse_jobs_by_job on intake.attempt_parse_jobs (parse_job_id);

create table intake.webhook_deliveries (
  event_id text primary key,
  parse_job_id uuid not null references intake.parse_jobs on delete cascade,
  event_type text not null,
  times_received integer not null default 1,
  received_at timestamptz not null default now(),
  delivered_at timestamptz
);
create index webhook_deliveries_by_job on intake.webhook_deliveries (parse_job_id);

-- A generation: one set of chunks = hash(document, Markdown, chunker, tokenizer, model). At most one per document is live.
create table intake.generations (
  id uuid primary key,
  document_id uuid not null,
  owner_id uuid not null,
  version_id uuid not null,
  markdown_sha256 text not null,
  chunker text not null,
  tokenizer text not null,
  max_tokens integer not null check (max_tokens > 0),
  embedding_model text not null,
  dimensions integer not null check (dimensions in (384, 1536)),
  chunk_count integer not null check (chunk_count > 0),
  created_at timestamptz not null default now(),
  completed_at timestamptz,
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  foreign key (document_id, version_id) references intake.versions (document_id, id) on delete cascade,
  unique (document_id, id)
);
alter table intake.documents
  add foreign key (id, live_generation_id) references intake.generations (document_id, id) deferrable initially deferred;

create table intake.chunks (
  id uuid primary key,
  generation_id uuid not null,
  document_id uuid not null,
  owner_id uuid not null,
  ordinal integer not null check (ordinal >= 0),
  text text not null check (text <> ''),
  prefix text not null default '',
  start_offset integer not null check (start_offset >= 0),
  end_offset integer not null check (end_offset > start_offset),
  page_from integer not null check (page_from >= 1),
  page_to integer not null check (page_to >= page_from),
  heading_path text[] not null default '{}',
  token_count integer not null check (token_count > 0),
  sha256 text not null,
  text_search_config text not null,
  lexemes tsvector not null,
  created_at timestamptz not null default now(),
  foreign key (document_id, owner_id) references intake.documents (id, owner_id) on delete cascade,
  foreign key (document_id, generation_id) references intake.generations (document_id, id) on delete cascade,
  unique (generation_id, ordinal)
);
create index chunks_by_document on intake.chunks (document_id, generation_id);

-- Postings for BM25: in which chunks of a generation a lexeme occurs, how often, and how long those chunks are (in
-- lexemes). No GIN index stands beside it: under row-level security the planner may not use one, since `@@` is not leakproof.
create table intake.generation_terms (
  owner_id uuid not null,
  lexeme text not null,
  generation_id uuid not null references intake.generations on delete cascade,
  ordinals integer[] not null check (cardinality(ordinals) > 0),
  occurrences integer[] not null check (cardinality(occurrences) = cardinality(ordinals)),
  lengths integer[] not null check (cardinality(lengths) = cardinality(ordinals)),
  primary key (owner_id, lexeme, generation_id)
);
create index generation_terms_by_generation on intake.generation_terms (generation_id);

-- One vector table per width: a cast over mixed widths fails the whole query.
create table intake.vectors_384 (
  chunk_id uuid primary key references intake.chunks on delete cascade,
  generation_id uuid not null,
  document_id uuid not null,
  owner_id uuid not null,
  embedding vector(384) not null,
  created_at timestamptz not null default now(),
  foreign key (document_id, generation_id) references intake.generations (document_id, id) on delete cascade
);
create index vectors_384_by_document on intake.vectors_384 (document_id, generation_id);
create index vectors_384_nearest on intake.vectors_384 using hnsw (embedding vector_cosine_ops);

create table intake.vectors_1536 (
  chunk_id uuid primary key references intake.chunks on delete cascade,
  generation_id uuid not null,
  document_id uuid not null,
  owner_id uuid not null,
  embedding vector(1536) not null,
  created_at timestamptz not null default now(),
  foreign key (document_id, generation_id) references intake.generations (document_id, id) on delete cascade
);
create index vectors_1536_by_document on intake.vectors_1536 (document_id, generation_id);
create index vectors_1536_nearest on intake.vectors_1536 using hnsw (embedding vector_cosine_ops);

-- Row-level security everywhere. `authenticated` may read what is its own, and only the tables that the views and
-- the API's reads need; nothing is granted to anon or public.
do $$
declare
  t text;
begin
  for t in select tablename from pg_tables where schemaname = 'intake' loop
    execute format('alter table intake.%I enable row level security', t);
  end loop;
  foreach t in array array['documents', 'versions', 'attempts', 'events', 'generations', 'chunks',
                           'generation_terms', 'vectors_384', 'vectors_1536'] loop
    execute format(
      'create policy own_rows on intake.%I for select to authenticated using (owner_id = (select auth.uid()))', t);
    execute format('grant select on intake.%I to authenticated', t);
  end loop;
end
$$;
revoke all on schema intake from public;
grant usage on schema intake to authenticated, service_role;
grant select, insert, update, delete on all tables in schema intake to service_role;
do $$
declare
  t text;
begin
  for t in select tablename from pg_tables where schemaname = 'intake' loop
    execute format('create policy service on intake.%I to service_role using (true) with check (true)', t);
  end loop;
end
$$;
