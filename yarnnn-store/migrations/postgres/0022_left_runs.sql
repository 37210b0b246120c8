-- A slot whose run somebody cancelled has ended for good, long after its job is gone.
set local lock_timeout = '2s';

alter table deliverable_slots add column cancelled boolean not null default false;

-- Versions whose run has not ended, by when somebody was at them last, of all users.
create index deliverable_versions_left on deliverable_versions (updated_at, id) where status = 'generating';
