/** The original's tables as far as its pipeline writes them, in a database of the control's own. */
import pg from 'pg';

const tables = `
create extension vector;
create schema upload_pipeline;
create table upload_pipeline.documents (
  document_id uuid primary key,
  user_id uuid not null,
  filename text not null,
  mime text not null,
  bytes_len bigint not null,
  file_sha256 text not null,
  raw_path text not null,
  parsed_path text,
  processing_status text,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create unique index uq_user_filehash on upload_pipeline.documents (user_id, file_sha256);
create table upload_pipeline.upload_jobs (
  job_id uuid primary key,
  document_id uuid not null references upload_pipeline.documents,
  state text not null,
  status text,
  retry_count int default 0,
  last_error jsonb,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create index idx_upload_jobs_status_created on upload_pipeline.upload_jobs (status, created_at);
create table upload_pipeline.document_chunks (
  chunk_id uuid primary key,
  document_id uuid not null references upload_pipeline.documents,
  chunker_name text not null,
  chunker_version text not null,
  chunk_ord int not null,
  text text not null,
  embedding vector(384) not null,
  unique (document_id, chunker_name, chunker_version, chunk_ord)
);`;

/** Resolves with the URL of the new database. */
export async function createControlDatabase(serverUrl: string, name: string): Promise<string> {
  await runSql(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await runSql(url.href, tables);
  return url.href;
}

async function runSql(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
