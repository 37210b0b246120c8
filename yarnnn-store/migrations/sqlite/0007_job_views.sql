-- The one table in the words of the other systems. Read only.
create view exora_job_queue as
select id, job_type, job_lane, job_category, job_name, job_payload, job_config,
    case status
        when 'queued' then 'pending'
        when 'retrying' then 'pending'
        when 'running' then 'processing'
        when 'succeeded' then 'completed'
        when 'cancelled' then 'cancelled'
        else 'failed'
    end as status,
    scheduled_at, started_at, completed_at, priority,
    max(attempt - 1, 0) as retry_count,
    coalesce(json_extract(job_config, '$.max_attempts'), 5) - 1 as max_retries,
    last_error, worker_id, heartbeat_at, dead_letter_at,
    case when result_expires_at < strftime('%Y-%m-%dT%H:%M:%f', 'now') then null else job_result end as job_result,
    created_at, updated_at
from job_queue;

-- Delivery's generic queue; attempts are failed ones.
create view jobs as
select id, job_type as type, job_payload as payload_json,
    case status
        when 'retrying' then 'retry'
        when 'succeeded' then 'success'
        when 'failed' then 'dead'
        when 'cancelled' then 'dead'
        when 'needs_human' then 'dead'
        else status
    end as status,
    case when status in ('running', 'succeeded') then max(attempt - 1, 0) else attempt end as attempts,
    coalesce(json_extract(job_config, '$.max_attempts'), 5) as max_attempts,
    scheduled_at as run_at,
    case when status = 'running' then started_at end as locked_at,
    case when status = 'running' then worker_id end as locked_by,
    lease_until as lock_expires_at,
    idempotency_key, last_error, created_at, updated_at
from job_queue;

-- Scribe's task states.
create view task_states as
select id as task_id, job_type as task_name,
    case
        when status = 'succeeded' and result_expires_at < strftime('%Y-%m-%dT%H:%M:%f', 'now') then 'PENDING'
        when status = 'queued' then 'PENDING'
        when status = 'running' then 'STARTED'
        when status = 'retrying' then 'RETRY'
        when status = 'succeeded' then 'SUCCESS'
        when status = 'cancelled' then 'REVOKED'
        else 'FAILURE'
    end as state,
    json_extract(progress, '$.step') as current_step,
    json_extract(progress, '$.percent') as percent_completed,
    case when result_expires_at < strftime('%Y-%m-%dT%H:%M:%f', 'now') then null else job_result end as result,
    last_error as error, owner_user_id, created_at, updated_at
from job_queue;
