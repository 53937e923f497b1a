-- Since when an attempt has been in its status, and the unfinished ones at hand: asked for at every look of the metrics.
alter table intake.attempts add column status_since timestamptz not null default now();

create or replace function intake.guard_status_move() returns trigger
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
    new.status_since := now();
  end if;
  new.updated_at := now();
  return new;
end
$$;

update intake.attempts a set status_since = coalesce(
  (select max(e.at) from intake.events e
   where e.document_id = a.document_id and e.attempt_id = a.id and e.kind = 'status'), a.created_at)
where a.ended_at is null;
create index attempts_unfinished on intake.attempts (status, status_since) where ended_at is null;
