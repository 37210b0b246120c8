-- What it takes to go on with a run that was cut short, by the part of the run: the next one of its kind takes it up.
alter table sync_registry add column places jsonb not null default '{}';
