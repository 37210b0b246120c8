-- What was looked up on the web is a step of a run, and what a version was written from is kept as it was then.

-- To alter a table is to wait for its readers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

alter table deliverable_versions drop constraint deliverable_versions_run_step_check;
alter table deliverable_versions add constraint deliverable_versions_run_step_check
    check (run_step in ('gathered', 'researched', 'written', 'verified', 'queued', 'finished'));

-- A copy of its own: rows of content expire, and their names and marks change. No foreign key to them for the same reason.
create table version_material (
    version_id uuid not null references deliverable_versions (id) on delete cascade,
    content_id uuid not null,
    user_id uuid not null references users (id) on delete cascade,
    -- Which item it is a revision of, and how that came: what is taken back later is found by these.
    platform text not null,
    resource_id text not null,
    item_id text not null,
    origin text not null,
    -- As the writer was given it; null when it was taken back.
    material jsonb,
    removed_at timestamptz,
    created_at timestamptz not null,
    primary key (version_id, content_id),
    check ((material is null) = (removed_at is not null))
);

create index version_material_item on version_material (user_id, platform, resource_id, item_id);

alter table version_material enable row level security;
