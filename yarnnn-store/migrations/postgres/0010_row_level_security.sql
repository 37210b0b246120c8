-- Nothing here is for the web roles of a hosted database, which may reach whatever stands in the public schema: every table has
-- row-level security and no policy, so that its owner alone, and roles that pass it by, see rows. The tables that are not named
-- here have it from the migrations that made them, as those of later ones must.

-- To alter a table is to wait for its readers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

alter table _sqlx_migrations enable row level security;
alter table users enable row level security;
alter table workspaces enable row level security;
alter table activity_log enable row level security;
alter table platform_content enable row level security;
alter table sync_registry enable row level security;
alter table deliverables enable row level security;
alter table deliverable_versions enable row level security;
alter table version_sentences enable row level security;
alter table evidence enable row level security;
alter table outbox enable row level security;
