-- How often the submit of a parse job was begun: the latest try alone may create the vendor's job.
alter table intake.parse_jobs add column tries integer not null default 1 check (tries > 0);
