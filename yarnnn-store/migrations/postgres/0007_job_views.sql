-- The one table in the words of the other systems. Read only.
create view exora_job_queue with (security_invoker = true) as
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
    greatest(attempt - 1, 0) as retry_count,
    coalesce((job_config ->> 'max_attempts')::integer, 5) - 1 as max_retries,
    last_error, worker_id, heartbeat_at, dead_letter_at,
    case when result_expires_at < clock_timestamp() then null else job_result end as job_result,
    created_at, updated_at
from job_queue;

-- Delivery's generic queue; attempts are failed ones.
create view jobs with (security_invoker = true) as
select id, job_type as type, job_payload as payload_json,
    case status
        when 'retrying' then 'retry'
        when 'succeeded' then 'success'
        when 'failed' then 'dead'
        when 'cancelled' then 'dead'
        when 'needs_human' then 'dead'
        else status
    end as status,
    case when status in ('running', 'succeeded') then greatest(attempt - 1, 0) else attempt end as attempts,
    coalesce((job_config ->> 'max_attempts')::integer, 5) as max_attempts,
    scheduled_at as run_at,
    case when status = 'running' then started_at end as locked_at,
    case when status = 'running' then worker_id end as locked_by,
    lease_until as lock_expires_at,
    idempotency_key, last_error, created_at, updated_at
from job_queue;

-- Scribe's task states.
create view task_states with (security_invoker = true) as
select id as task_id, job_type as task_name,
    case
        when status = 'succeeded' and result_expires_at < clock_timestamp() then 'PENDING'
        when status = 'queued' then 'PENDING'
        when status = 'running' then 'STARTED'
        when status = 'retrying' then 'RETRY'
        when status = 'succeeded' then 'SUCCESS'
        when status = 'cancelled' then 'REVOKED'
        else 'FAILURE'
    end as state,
    progress ->> 'step' as current_step,
    (progress ->> 'percent')::integer as percent_completed,
    case when result_expires_at < clock_timestamp() then null else job_result end as result, last_error as error, owner_user_id, created_at, updated_at
from job_queue;

-- All of this is for the service alone. Hosted databases grant what is new to their web roles by name, so those are named too.
do $$
declare
    v_object record;
    v_role text;
begin
    for v_object in
        select format('function %s', p.oid::regprocedure) as name, 'execute' as use
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = current_schema() and p.proname in (
            'job_refuse', 'job_exora_lane', 'job_has_secret', 'job_config_problem', 'job_check', 'job_take_key', 'enqueue_jobs_v3', 'job_insert', 'enqueue_job_v3',
            'job_lock_group', 'job_running_by_owner', 'job_due_owners', 'job_lock_by_owner', 'job_lock_priority', 'claim_next_job_v3', 'renew_job_leases', 'update_job_heartbeat',
            'complete_jobs', 'job_settle', 'complete_job', 'job_retry_wait', 'fail_job', 'reschedule_job', 'retry_job', 'rescue_jobs', 'job_next_due',
            'api_blocked_until', 'acquire_api_permit', 'release_api_permit', 'acquire_api_capacity', 'release_api_capacity', 'job_backpressure')
        union all
        select format('table %I', it), 'select' from unnest(array[
            'job_queue', 'job_keys', 'job_events', 'job_workers', 'api_rate_limits', 'api_permits', 'exora_job_queue', 'jobs', 'task_states'
        ]) as it
    loop
        execute format('revoke all on %s from public', v_object.name);
        foreach v_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = v_role) then
                execute format('revoke all on %s from %I', v_object.name, v_role);
            end if;
        end loop;
        if exists (select from pg_roles where rolname = 'service_role') then
            execute format('grant %s on %s to service_role', v_object.use, v_object.name);
        end if;
    end loop;
end $$;
