-- What reconciliation looks for every hour is a handful among all that has ended: found without reading the rest.
create index attempts_unfinished_by_id on intake.attempts (id) where ended_at is null;
create index parse_jobs_unforgotten on intake.parse_jobs (id)
  where state in ('submitting', 'submitted') or forgotten_at is null;
