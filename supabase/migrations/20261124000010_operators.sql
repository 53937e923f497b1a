-- Commands of operators: why they gave them, and that nobody has proven who they are.
alter table intake.events
  add column reason text,
  add column self_declared boolean not null default false;

-- What is on its road, by where it is: for lists of it, and for a document's place in line.
create index attempts_on_their_road on intake.attempts (status) where ended_at is null;
