-- A slot whose run somebody cancelled has ended for good, long after its job is gone.
set local lock_timeout = '2s';

alter table deliverable_slots add column cancelled boolean not null default false;
update deliverable_slots set cancelled = true where outcome = 'failed'
    and exists (select 1 from job_queue where job_queue.id = deliverable_slots.job_id and job_queue.status = 'cancelled');

-- The slots that a job may still matter to, for when it is deleted.
create index deliverable_slots_job on deliverable_slots (job_id) where outcome is null or outcome = 'failed';

-- Versions whose run has not ended, by when somebody was at them last, of all users.
create index deliverable_versions_left on deliverable_versions (updated_at, id) where status = 'generating';
