-- What the providers allow, kept over all workers: a token bucket a provider, as the instant at which the next call may
-- be made (a full bucket is an instant in the past). Unlogged, since a take must cost no write to disk: after a crash
-- of the server the bucket is full again, and a provider that wants a pause says so once more.
create unlogged table intake.provider_budgets (
  provider text primary key,
  next_call_at timestamptz not null
);
alter table intake.provider_budgets enable row level security;
grant select, insert, update, delete on intake.provider_budgets to service_role;
