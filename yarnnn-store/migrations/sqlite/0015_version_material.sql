-- What was looked up on the web is a step of a run, and what a version was written from is kept as it was then.

-- A check cannot be changed here, and to make the table anew would take along what hangs on it: so the column is.
alter table deliverable_versions add column step text not null default 'gathered'
    check (step in ('gathered', 'researched', 'written', 'verified', 'queued', 'finished'));
update deliverable_versions set step = run_step;
alter table deliverable_versions drop column run_step;
alter table deliverable_versions rename column step to run_step;

-- A copy of its own: rows of content expire, and their names and marks change. No foreign key to them for the same reason.
create table version_material (
    version_id text not null references deliverable_versions (id) on delete cascade,
    content_id text not null,
    user_id text not null references users (id) on delete cascade,
    -- Which item it is a revision of, and how that came: what is taken back later is found by these.
    platform text not null,
    resource_id text not null,
    item_id text not null,
    origin text not null,
    -- As the writer was given it; null when it was taken back.
    material text,
    removed_at text,
    created_at text not null,
    primary key (version_id, content_id),
    check ((material is null) = (removed_at is not null))
) strict;

create index version_material_item on version_material (user_id, platform, resource_id, item_id);
