-- Objects that an original installation wrote. Verify looks at them and erasure removes them like any other; nothing else
-- does, so that the original can be rolled back to.
alter table intake.objects add column inherited boolean not null default false;
