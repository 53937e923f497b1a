-- Commands of operators: why they gave them, and that nobody has proven who they are.
alter table intake.events
  add column reason text,
  add column self_declared boolean not null default false;
