-- Supabase brings these roles and auth.uid(); a plain Postgres gets them here, only where they are missing.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin noinherit', role_name);
      exception when duplicate_object then
        null; -- roles belong to the whole server: another database's migration was faster
      end;
    end if;
  end loop;
end
$$;

create schema if not exists auth;
grant usage on schema auth to anon, authenticated, service_role;

do $$
begin
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
      language sql stable
      set search_path = ''
      as $fn$
        select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
      $fn$;
    grant execute on function auth.uid() to anon, authenticated, service_role;
  end if;
end
$$;

-- pgvector goes where its names resolve without a prefix: Supabase has `extensions` on every search path,
-- a plain Postgres only `public`.
do $$
begin
  if not exists (select from pg_extension where extname = 'vector') then
    execute format('create extension vector with schema %I',
      case when to_regnamespace('extensions') is null then 'public' else 'extensions' end);
  end if;
end
$$;
