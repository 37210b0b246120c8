-- Background jobs: the one table that everything in the background goes through. Column names are those of the Exora brief
-- where it has one; `status` is in our own words, and views give the other systems theirs.
create table job_queue (
    id uuid primary key,
    -- Which code runs it. Any name: a kind that no worker knows waits for one that does.
    job_type text not null check (job_type <> ''),
    job_name text not null,
    job_category text not null default 'standard',
    -- Which workers take it; `job_lane` repeats it for Exora's types, which have lanes of their own.
    lane text not null default 'default',
    job_lane text,
    -- 1 to 10; higher is sooner.
    priority integer not null default 5 check (priority between 1 and 10),
    -- Without a foreign key: jobs are made far more often than users are deleted.
    owner_user_id uuid,
    job_payload jsonb not null,
    -- The rules of its kind: tries, waits, limits.
    job_config jsonb not null default '{}',
    status text not null default 'queued' check (status in
        ('queued', 'running', 'retrying', 'succeeded', 'failed', 'dead', 'cancelled', 'needs_human')),
    scheduled_at timestamptz not null,
    -- Tries that were charged; a claim adds one, and what must not be charged gives it back.
    attempt integer not null default 0 check (attempt >= 0),
    crashes integer not null default 0 check (crashes >= 0),
    reschedules integer not null default 0,
    -- The holder of a running job. A token is drawn with every claim; every write of the holder carries it.
    worker_id text,
    run_token uuid,
    lease_seconds double precision,
    lease_until timestamptz,
    heartbeat_at timestamptz,
    cancel_requested boolean not null default false,
    idempotency_key text,
    correlation_id text not null,
    parent_id uuid,
    progress jsonb,
    job_result jsonb,
    -- After this instant the result reads as expired.
    result_expires_at timestamptz,
    last_error text,
    -- Why it is dead (attempts, crash, reschedules), or whom it waits for (user, operator).
    cause text,
    started_at timestamptz,
    completed_at timestamptz,
    dead_letter_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (status <> 'running' or (worker_id is not null and run_token is not null and lease_until is not null))
)
-- Room for beats on the same page, and a vacuum that keeps up with rows that change three times in a second.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

-- What may be claimed, by what claims filter: a claim steps from group to group (lane, kind, priority) and reads each in the
-- order of claiming, so that nothing that it passes over costs it anything.
create index job_queue_ready on job_queue (lane, job_type, priority, scheduled_at, id)
    where status in ('queued', 'retrying') and crashes < 2;
-- The same by owner, so that one owner's backlog can be stepped over.
create index job_queue_ready_by_owner
    on job_queue (lane, job_type, priority, coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at, id)
    where status in ('queued', 'retrying') and crashes < 2;
create index job_queue_quarantine on job_queue (scheduled_at, id) where status in ('queued', 'retrying') and crashes >= 2;
-- Leases are in no index, so that a beat rewrites no index.
create index job_queue_running on job_queue (worker_id) where status = 'running';
create index job_queue_ended on job_queue (completed_at)
    where status in ('succeeded', 'failed', 'dead', 'cancelled', 'needs_human');
create index job_queue_unwell on job_queue (status, job_type) where status in ('failed', 'dead', 'needs_human');
create index job_queue_expiry on job_queue (result_expires_at) where result_expires_at is not null;

-- Idempotency keys outlive their jobs.
create table job_keys (
    -- Kind and owner.
    scope text not null,
    key text not null,
    job_id uuid not null,
    payload_hash text not null,
    holds text not null check (holds in ('active', 'forever', 'window')),
    held_until timestamptz,
    primary key (scope, key)
);

create index job_keys_windows on job_keys (held_until) where holds = 'window';

-- One line per change of state, written with it.
create table job_events (
    seq bigint generated always as identity,
    job_id uuid not null,
    at timestamptz not null,
    event text not null,
    actor text,
    attempt integer not null,
    reason text
);

create index job_events_job on job_events (job_id, seq);

-- Workers that live: written by workers only.
create table job_workers (
    worker_id text primary key,
    name text not null,
    process text not null,
    version text not null,
    concurrency integer not null,
    running integer not null,
    draining boolean not null,
    started_at timestamptz not null,
    last_claim_at timestamptz,
    beat_at timestamptz not null
);

alter table job_queue enable row level security;
alter table job_keys enable row level security;
alter table job_events enable row level security;
alter table job_workers enable row level security;

-- The verbs. Time is the database's; p_now is for tests. Errors carry a name before the colon and a code of class YJ.

create function job_refuse(p_name text, p_problem text) returns void
language plpgsql as $$
begin
    raise exception '%: %', p_name, p_problem
        using errcode = case p_name when 'key_conflict' then 'YJ409' when 'unknown_endpoint' then 'YJ404' else 'YJ400' end;
end $$;

-- The lane of one of Exora's types; every other type has none.
create function job_exora_lane(p_type text, p_lane text) returns text
language plpgsql immutable as $$
begin
    if p_type = 'shell_file_processing' then
        if p_lane in ('fast_queue', 'standard_queue') then return p_lane; end if;
        if p_lane = 'default' then return 'standard_queue'; end if;
    elsif p_type = 'ai_processing' then
        if p_lane in ('ai_queue_simple', 'ai_queue_complex') then return p_lane; end if;
        if p_lane = 'default' then return 'ai_queue_simple'; end if;
    else
        return null;
    end if;
    perform job_refuse('wrong_lane', format('%s has no lane %s', p_type, p_lane));
    return null;
end $$;

-- Whether a text carries what looks like a secret. The forms are those of the library.
create function job_has_secret(p_text text) returns boolean
language sql immutable as $$
    select p_text ~ ('(^|[^A-Za-z0-9_-])(sk-ant-[A-Za-z0-9_.-]{16}|sk-[A-Za-z0-9_.-]{20}|xox[bpe]-[A-Za-z0-9_.-]{10}'
        '|xoxe\.xox[A-Za-z0-9_.-]{10}|xapp-[A-Za-z0-9_.-]{10}|ntn_[A-Za-z0-9_.-]{20}|secret_[A-Za-z0-9_.-]{30}'
        '|ya29\.[A-Za-z0-9_.-]{20}|1//0[A-Za-z0-9_.-]{30}|AIza[A-Za-z0-9_.-]{30}|re_[A-Za-z0-9_.-]{24}'
        '|sk_live_[A-Za-z0-9_.-]{16}|AKIA[A-Za-z0-9_.-]{16}|ghp_[A-Za-z0-9_.-]{30}|github_pat_[A-Za-z0-9_.-]{30}'
        '|sb_secret_[A-Za-z0-9_.-]{16}|eyJ[A-Za-z0-9_.-]{40}|gAAAAA[A-Za-z0-9_.-]{60}|-----BEGIN )')
$$;

-- Whether a job's rules can be read: durations in seconds, numbers as numbers.
create function job_config_problem(p_config jsonb) returns text
language plpgsql immutable as $$
declare
    v_retry jsonb := p_config -> 'retry';
    v_rule jsonb;
    v_name text;
begin
    if p_config is null or p_config = '{}' then return null; end if;
    if jsonb_typeof(p_config) <> 'object' then return 'it is no object'; end if;
    foreach v_name in array array['max_attempts', 'max_reschedules', 'soft_limit_seconds', 'time_limit_seconds', 'result_ttl_seconds'] loop
        if coalesce(p_config -> v_name, 'null') <> 'null' and not (jsonb_typeof(p_config -> v_name) = 'number'
            and (p_config ->> v_name)::numeric between 0 and 2147483647 and (p_config ->> v_name)::numeric % 1 = 0)
        then return format('%s is no whole number of that size', v_name); end if;
    end loop;
    if v_retry is null then return null; end if;
    v_rule := coalesce(v_retry -> 'fixed', v_retry -> 'exponential');
    if v_rule is null or jsonb_typeof(v_rule) <> 'object' then return 'retry is neither fixed nor exponential'; end if;
    if v_retry ? 'fixed' then
        if coalesce(jsonb_typeof(v_rule -> 'seconds'), '') <> 'array' or jsonb_path_exists(v_rule, '$.seconds[*] ? (@.type() != "number")') then
            return 'retry.fixed.seconds is no list of numbers';
        end if;
    else
        foreach v_name in array array['base_seconds', 'factor', 'cap_seconds'] loop
            if coalesce(jsonb_typeof(v_rule -> v_name), '') <> 'number' then return format('retry.exponential.%s is no number', v_name); end if;
        end loop;
        if (v_rule ->> 'factor')::numeric not between 0 and 1000 then return 'retry.exponential.factor is not between 0 and 1000'; end if;
    end if;
    return null;
end $$;

-- The rules that every new job keeps.
create function job_check(p_type text, p_lane text, p_priority integer, p_payload jsonb, p_key text, p_config jsonb, p_delay text)
returns void
language plpgsql as $$
begin
    if p_delay::double precision < 0 then perform job_refuse('negative_delay', 'a job cannot start before now'); end if;
    if job_config_problem(p_config) is not null then
        perform job_refuse('bad_config', format('the rules of the job cannot be read: %s', job_config_problem(p_config)));
    end if;
    if coalesce(btrim(p_type), '') = '' then perform job_refuse('blank_kind', 'a job needs a kind'); end if;
    if coalesce(btrim(p_lane), '') = '' then perform job_refuse('blank_lane', 'a lane has a name'); end if;
    if p_priority is null or p_priority not between 1 and 10 then
        perform job_refuse('bad_priority', format('%s is not between 1 and 10; higher is sooner', coalesce(p_priority::text, 'null')));
    end if;
    if p_payload is null or jsonb_typeof(p_payload) <> 'object' then
        perform job_refuse('empty_payload', 'a payload is a JSON object');
    end if;
    if octet_length(p_payload::text) > 65536 then
        perform job_refuse('payload_too_large', format('%s bytes; at most 65536: pass ids, not content', octet_length(p_payload::text)));
    end if;
    if job_has_secret(p_payload::text) then
        perform job_refuse('payload_has_secret', 'it carries what looks like a secret: pass an id instead');
    end if;
    if p_key is not null and (btrim(p_key) = '' or length(p_key) > 256) then
        perform job_refuse('bad_key', 'an idempotency key has 1 to 256 characters');
    end if;
end $$;

-- Takes a key for a new job: null when it is taken now, else the job that it stands for.
create function job_take_key(
    p_scope text, p_key text, p_holds text, p_window integer, p_job_id uuid, p_payload jsonb, p_now timestamptz
) returns uuid
language plpgsql as $$
declare
    v_known job_keys;
    v_hash text := encode(sha256(convert_to(p_payload::text, 'UTF8')), 'hex');
    v_until timestamptz := case when p_holds = 'window' then p_now + make_interval(secs => p_window) end;
begin
    loop
        insert into job_keys (scope, key, job_id, payload_hash, holds, held_until)
        values (p_scope, p_key, p_job_id, v_hash, p_holds, v_until)
        on conflict do nothing;
        if found then return null; end if;
        select * into v_known from job_keys where scope = p_scope and key = p_key for update;
        continue when not found;
        if (case v_known.holds
            when 'forever' then true
            when 'window' then v_known.held_until > p_now
            else exists (select from job_queue where id = v_known.job_id and status in ('queued', 'running', 'retrying'))
        end) then
            if v_known.payload_hash <> v_hash then
                perform job_refuse('key_conflict', format('the key "%s" was used for a job with another payload', p_key));
            end if;
            return v_known.job_id;
        end if;
        update job_keys set job_id = p_job_id, payload_hash = v_hash, holds = p_holds, held_until = v_until
        where scope = p_scope and key = p_key;
        return null;
    end loop;
end $$;

-- Stores many jobs or none. Each element: type, payload, and as wanted id, name, category, lane, priority, owner, config,
-- run_at or delay (seconds), key, holds, window, correlation, parent. p_checked leaves out the rules that the caller has
-- checked already. Answers in the order given.
create function enqueue_jobs_v3(p_jobs jsonb, p_checked boolean default false, p_now timestamptz default null)
returns table (job_id uuid, is_new boolean, scheduled_at timestamptz)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_job record;
    v_known uuid;
    v_ids uuid[];
    v_new boolean[];
begin
    if not p_checked then
        perform job_check(j ->> 'type', coalesce(j ->> 'lane', 'default'), coalesce((j ->> 'priority')::integer, 5),
            j -> 'payload', j ->> 'key', j -> 'config', j ->> 'delay')
        from jsonb_array_elements(p_jobs) as j;
    end if;
    if not jsonb_path_exists(p_jobs, '$[*].key ? (@ != null)') then
        return query select i.job_id, true, i.scheduled_at from job_insert(p_jobs, v_now) as i;
        return;
    end if;
    -- Keys are taken in their own order, so that two batches with the same ones wait for each other and never deadlock.
    for v_job in
        select coalesce((j ->> 'id')::uuid, gen_random_uuid()) as id, j, position,
            (j ->> 'type') || '/' || coalesce(j ->> 'owner', '') as scope
        from jsonb_array_elements(p_jobs) with ordinality as e (j, position)
        order by j ->> 'key' is null, (j ->> 'type') || '/' || coalesce(j ->> 'owner', ''), j ->> 'key', position
    loop
        v_known := null;
        if v_job.j ->> 'key' is not null then
            if coalesce(v_job.j ->> 'holds', 'active') not in ('active', 'forever', 'window') then
                perform job_refuse('bad_key', 'a key holds active, forever or window');
            end if;
            if v_job.j ->> 'holds' = 'window' and coalesce((v_job.j ->> 'window')::integer, 0) <= 0 then
                perform job_refuse('bad_key', 'a key that holds for a window needs its seconds');
            end if;
            v_known := job_take_key(v_job.scope, v_job.j ->> 'key', coalesce(v_job.j ->> 'holds', 'active'),
                (v_job.j ->> 'window')::integer, v_job.id, v_job.j -> 'payload', v_now);
        end if;
        v_ids[v_job.position] := coalesce(v_known, v_job.id);
        v_new[v_job.position] := v_known is null;
        if v_known is null then
            perform job_insert(jsonb_build_array(v_job.j || jsonb_build_object('id', v_job.id)), v_now);
        end if;
    end loop;
    return query
    select a.id, a.fresh, q.scheduled_at from unnest(v_ids, v_new) with ordinality as a (id, fresh, position)
    left join job_queue q on q.id = a.id order by a.position;
end $$;

-- The insert itself, of jobs whose keys are taken.
create function job_insert(p_jobs jsonb, p_now timestamptz) returns table (job_id uuid, scheduled_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with incoming as materialized (
        select coalesce(j.given, gen_random_uuid()) as id, j.type, j.name, j.category, j.priority, j.owner, j.payload, j.config,
            case
                when j.delay is not null then p_now + make_interval(secs => j.delay)
                else greatest(j.run_at, p_now)
            end as start_at,
            j.key, j.correlation, j.parent, j.position,
            case when j.type in ('shell_file_processing', 'ai_processing')
                then job_exora_lane(j.type, coalesce(j.lane, 'default')) end as exora_lane,
            coalesce(j.lane, 'default') as lane
        from rows from (jsonb_to_recordset(p_jobs) as (
            id uuid, type text, name text, category text, lane text, priority integer, owner uuid, payload jsonb, config jsonb,
            run_at timestamptz, delay double precision, key text, correlation text, parent uuid
        )) with ordinality as j (given, type, name, category, lane, priority, owner, payload, config, run_at, delay, key,
            correlation, parent, position)
    ), stored as (
        insert into job_queue (id, job_type, job_name, job_category, lane, job_lane, priority, owner_user_id, job_payload, job_config,
            scheduled_at, idempotency_key, correlation_id, parent_id, created_at, updated_at)
        select id, type, coalesce(name, type), coalesce(category, 'standard'), coalesce(exora_lane, lane), exora_lane,
            coalesce(priority, 5), owner, payload, coalesce(config, '{}'), start_at, key, coalesce(correlation, id::text), parent,
            p_now, p_now
        from incoming order by position
    ), told as (
        insert into job_events (job_id, at, event, attempt) select id, p_now, 'enqueued', 0 from incoming order by position
    )
    select id, start_at from incoming order by position;
end $$;

-- Exora's enqueue: lane by payload, refusals, and a later start while the provider is close to its limit.
create function enqueue_job_v3(
    job_type text, job_name text, job_payload jsonb, job_category text default 'standard', priority integer default 5,
    p_scheduled_at timestamptz default null, p_delay_seconds double precision default null,
    p_idempotency_key text default null, p_key_holds text default 'active', p_key_window_seconds integer default null,
    p_owner_user_id uuid default null, p_job_lane text default null, p_job_config jsonb default '{}',
    p_correlation_id text default null, p_now timestamptz default null
) returns table (job_id uuid, scheduled_at timestamptz, is_new boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_payload jsonb := job_payload;
    v_start timestamptz := coalesce(p_scheduled_at, v_now + make_interval(secs => coalesce(p_delay_seconds, 0)));
begin
    if p_delay_seconds < 0 then perform job_refuse('negative_delay', 'a job cannot start before now'); end if;
    if coalesce(v_payload, 'null') in ('null', '{}') then
        perform job_refuse('empty_payload', 'a payload is a JSON object with something in it');
    end if;
    if job_type = 'ai_processing' then
        v_payload := jsonb_build_object('estimated_tokens', 1000) || v_payload;
        v_start := greatest(v_start, v_now) + job_backpressure('openai', 'gpt-4o-mini', v_now);
    end if;
    return query
    select e.job_id, e.scheduled_at, e.is_new
    from enqueue_jobs_v3(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'type', job_type, 'name', job_name, 'category', job_category, 'run_at', v_start,
        'lane', coalesce(p_job_lane, v_payload ->> 'job_lane'), 'owner', p_owner_user_id,
        'key', p_idempotency_key, 'holds', p_key_holds, 'window', p_key_window_seconds, 'correlation',
        coalesce(p_correlation_id, v_payload ->> 'correlation_id')))
        || jsonb_build_object('payload', v_payload, 'priority', priority, 'config', coalesce(p_job_config, '{}'))), false, p_now) as e;
    perform pg_notify('yarnnn_jobs', '');
end $$;

-- What a claim answers: the whole row, with the run token and Exora's name for the id.
create type claimed_job as (
    job_id uuid, id uuid, job_type text, job_name text, job_category text, lane text, job_lane text, priority integer,
    owner_user_id uuid, job_payload jsonb, job_config jsonb, status text, scheduled_at timestamptz, attempt integer, crashes integer,
    reschedules integer, retry_count integer, worker_id text, run_token uuid, lease_seconds double precision, lease_until timestamptz,
    heartbeat_at timestamptz, cancel_requested boolean, idempotency_key text, correlation_id text, parent_id uuid, progress jsonb,
    last_error text, started_at timestamptz, created_at timestamptz, updated_at timestamptz
);

-- Locks up to p_limit due jobs of one group, in the order of claiming.
create function job_lock_group(
    p_lane text, p_type text, p_priority integer, p_limit integer, p_except uuid[], p_now timestamptz,
    out ids uuid[], out has_owners boolean
)
language plpgsql as $$
begin
    select coalesce(array_agg(id), '{}'), coalesce(bool_or(owned), false) into ids, has_owners from (
        select id, owner_user_id is not null as owned from job_queue
        where status in ('queued', 'retrying') and crashes < 2
            and lane = p_lane and job_type = p_type and priority = p_priority and scheduled_at <= p_now and id <> all (p_except)
        order by scheduled_at, id limit p_limit for update skip locked
    ) as locked;
end $$;

-- How many jobs of each owner a worker runs or is about to.
create function job_running_by_owner(p_worker_id text, p_taken uuid[]) returns jsonb
language sql stable as $$
    select coalesce(jsonb_object_agg(owner_user_id, running), '{}') from (
        select owner_user_id, count(*) as running from (
            select owner_user_id from job_queue where status = 'running' and worker_id = p_worker_id
            union all
            select owner_user_id from job_queue where id = any (p_taken)
        ) as busy where owner_user_id is not null group by owner_user_id
    ) as counted
$$;

-- Owners (the nil uuid for none) with something due in a group: at most p_limit are looked at, from where this session's last
-- look at the group ended, so that all get their turn however many there are. Index expressions are met only by the literal
-- itself, which is why it is written out.
create function job_due_owners(p_lane text, p_type text, p_priority integer, p_limit integer, p_now timestamptz) returns setof uuid
language plpgsql as $$
declare
    v_turn text := 'yarnnn.turn_' || md5(format('%s/%s/%s', p_lane, p_type, p_priority));
    v_begin uuid := coalesce(nullif(current_setting(v_turn, true), ''), '00000000-0000-0000-0000-000000000000')::uuid;
    v_owner uuid;
    v_at timestamptz;
    v_last uuid := v_begin;
    v_around boolean := false;
begin
    select coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at into v_owner, v_at from job_queue
    where status in ('queued', 'retrying') and crashes < 2 and lane = p_lane and job_type = p_type and priority = p_priority
        and coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid) >= v_begin
    order by coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at limit 1;
    for v_count in 1 .. p_limit loop
        if v_owner is null then
            exit when v_around;
            v_around := true;
            select coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at into v_owner, v_at from job_queue
            where status in ('queued', 'retrying') and crashes < 2 and lane = p_lane and job_type = p_type and priority = p_priority
            order by coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at limit 1;
        end if;
        exit when v_owner is null or (v_around and v_owner >= v_begin);
        if v_at <= p_now then return next v_owner; end if;
        v_last := v_owner;
        select coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at into v_owner, v_at from job_queue
        where status in ('queued', 'retrying') and crashes < 2 and lane = p_lane and job_type = p_type and priority = p_priority
            and coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid) > v_last
        order by coalesce(owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), scheduled_at limit 1;
    end loop;
    perform set_config(v_turn, v_last::text, false);
end $$;

-- Locks up to p_limit due jobs of one priority, stepping from owner to owner, each up to its room, beside those that are kept.
create function job_lock_by_owner(
    p_groups jsonb, p_priority integer, p_limit integer, p_owner_limit integer, p_running jsonb, p_except uuid[], p_now timestamptz
) returns uuid[]
language plpgsql as $$
declare
    c_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    v_ids uuid[];
begin
    with owners as materialized (
        select g ->> 0 as lane, g ->> 1 as job_type, o.owner,
            case when o.owner = c_nobody then p_limit
                else greatest(0, p_owner_limit - coalesce((p_running ->> o.owner::text)::integer, 0)) end as room
        from jsonb_array_elements(p_groups) as g
        cross join lateral (select owner from job_due_owners(g ->> 0, g ->> 1, p_priority, 4096, p_now) as owner) as o
    ), candidates as (
        select job.id, job.scheduled_at, owners.room,
            case when owners.owner <> c_nobody then row_number() over (partition by owners.owner order by job.scheduled_at, job.id) end as nth
        from owners cross join lateral (
            select q.id, q.scheduled_at from job_queue q
            where q.status in ('queued', 'retrying') and q.crashes < 2
                and q.lane = owners.lane and q.job_type = owners.job_type and q.priority = p_priority
                -- A range of one, and not an equality: so only the index by owner has the order that is wanted.
                and coalesce(q.owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid) between owners.owner and owners.owner
                and q.scheduled_at <= p_now and q.id <> all (p_except)
            order by coalesce(q.owner_user_id, '00000000-0000-0000-0000-000000000000'::uuid), q.scheduled_at, q.id
            limit least(owners.room, p_limit)
        ) as job
        where owners.room > 0
    ), chosen as (
        select id, row_number() over (order by scheduled_at, id) as position from candidates
        where nth is null or nth <= room order by scheduled_at, id limit p_limit
    )
    select array_agg(id) into v_ids from (
        select q.id from chosen join job_queue q on q.id = chosen.id
        -- `is true`: by id, and not by way of all that waits.
        where (q.status in ('queued', 'retrying') and q.crashes < 2 and q.scheduled_at <= p_now) is true
        order by chosen.position for update of q skip locked
    ) as locked;
    return coalesce(v_ids, '{}');
end $$;

-- The jobs of one priority: the due ones of all its groups, in order, and no owner beyond its limit.
create function job_lock_priority(
    p_groups jsonb, p_priority integer, p_limit integer, p_owner_limit integer, p_worker_id text, p_taken uuid[], p_now timestamptz
) returns uuid[]
language plpgsql as $$
declare
    v_ids uuid[] := '{}';
    v_kept uuid[];
    v_running jsonb;
    v_group record;
    v_shares integer := 0;
    v_owned boolean := false;
begin
    if jsonb_array_length(p_groups) = 1 then
        select ids, has_owners into v_ids, v_owned
        from job_lock_group(p_groups -> 0 ->> 0, p_groups -> 0 ->> 1, p_priority, p_limit, '{}', p_now);
    else
        -- How many of each group are among the first; then so many of each are locked, whoever else is at it.
        for v_group in
            select due.lane, due.job_type, count(*)::integer as share from (
                select j.lane, j.job_type, j.scheduled_at, j.id from jsonb_array_elements(p_groups) as g
                cross join lateral (
                    select lane, job_type, scheduled_at, id from job_queue
                    where status in ('queued', 'retrying') and crashes < 2
                        and lane = g ->> 0 and job_type = g ->> 1 and priority = p_priority and scheduled_at <= p_now
                    order by scheduled_at, id limit p_limit
                ) as j
                order by j.scheduled_at, j.id limit p_limit
            ) as due
            group by due.lane, due.job_type order by min(due.scheduled_at)
        loop
            select v_ids || ids, v_owned or has_owners into v_ids, v_owned
            from job_lock_group(v_group.lane, v_group.job_type, p_priority, v_group.share, '{}', p_now);
            v_shares := v_shares + v_group.share;
        end loop;
        -- Somebody else was at some of them: the others may have more.
        if cardinality(v_ids) < v_shares then
            for v_group in select g ->> 0 as lane, g ->> 1 as job_type from jsonb_array_elements(p_groups) as g loop
                exit when cardinality(v_ids) >= p_limit;
                select v_ids || ids, v_owned or has_owners into v_ids, v_owned
                from job_lock_group(v_group.lane, v_group.job_type, p_priority, p_limit - cardinality(v_ids), v_ids, p_now);
            end loop;
        end if;
    end if;
    if p_owner_limit is null or not v_owned then return v_ids; end if;

    v_running := job_running_by_owner(p_worker_id, p_taken);
    select array_agg(id) into v_kept from (
        select id, owner_user_id, row_number() over (partition by owner_user_id order by scheduled_at, id) as nth
        from job_queue where id = any (v_ids)
    ) as ranked
    where owner_user_id is null or nth + coalesce((v_running ->> owner_user_id::text)::integer, 0) <= p_owner_limit;
    v_kept := coalesce(v_kept, '{}');
    if cardinality(v_kept) = cardinality(v_ids) then return v_kept; end if;
    v_running := job_running_by_owner(p_worker_id, p_taken || v_kept);
    return v_kept || job_lock_by_owner(p_groups, p_priority, p_limit - cardinality(v_kept), p_owner_limit, v_running, v_kept, p_now);
end $$;

-- Hands out jobs that are due: highest priority first, then the oldest. Jobs whose process died twice only alone or by id.
create function claim_next_job_v3(
    p_worker_id text, p_job_types text[] default null, p_job_lanes text[] default null, p_limit integer default 1,
    p_lease_seconds double precision default 330, p_owner_limit integer default null, p_only uuid default null,
    p_alone boolean default false, p_now timestamptz default null
) returns setof claimed_job
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set enable_sort = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_ids uuid[] := '{}';
    v_level record;
    v_limit integer := coalesce(p_limit, 1);
begin
    if coalesce(btrim(p_worker_id), '') = '' then perform job_refuse('blank_worker', 'a claim needs a worker id'); end if;
    if p_lease_seconds is null or p_lease_seconds <= 0 then perform job_refuse('bad_lease', 'a lease lasts some time'); end if;
    if p_only is not null then
        select array_agg(id) into v_ids from (
            select id from job_queue where id = p_only and status in ('queued', 'retrying') and scheduled_at <= v_now
            for update skip locked
        ) as one;
    elsif p_alone then
        select array_agg(id) into v_ids from (
            select id from job_queue
            where status in ('queued', 'retrying') and crashes >= 2 and scheduled_at <= v_now
                and (p_job_types is null or job_type = any (p_job_types)) and (p_job_lanes is null or lane = any (p_job_lanes))
            order by scheduled_at, id limit 1 for update skip locked
        ) as one;
    else
        for v_level in
            with recursive groups as (
                (select lane, job_type, priority from job_queue
                 where status in ('queued', 'retrying') and crashes < 2
                 order by lane, job_type, priority limit 1)
                union all
                select next.lane, next.job_type, next.priority from groups g cross join lateral (
                    select q.lane, q.job_type, q.priority from job_queue q
                    where q.status in ('queued', 'retrying') and q.crashes < 2
                        and (q.lane, q.job_type, q.priority) > (g.lane, g.job_type, g.priority)
                    order by q.lane, q.job_type, q.priority limit 1
                ) as next
            )
            select priority, jsonb_agg(jsonb_build_array(lane, job_type)) as members from groups
            where (p_job_types is null or job_type = any (p_job_types)) and (p_job_lanes is null or lane = any (p_job_lanes))
            group by priority order by priority desc
        loop
            exit when cardinality(v_ids) >= v_limit;
            v_ids := v_ids || job_lock_priority(
                v_level.members, v_level.priority, v_limit - cardinality(v_ids), p_owner_limit, p_worker_id, v_ids, v_now);
        end loop;
    end if;
    if v_ids is null or cardinality(v_ids) = 0 then return; end if;

    -- The lease begins when the rows are ours, however long the search was.
    v_now := coalesce(p_now, clock_timestamp());
    return query
    with taken as (
        update job_queue set status = 'running', attempt = attempt + 1, worker_id = p_worker_id, run_token = gen_random_uuid(),
            lease_seconds = p_lease_seconds, lease_until = v_now + make_interval(secs => p_lease_seconds), heartbeat_at = v_now,
            started_at = v_now, updated_at = v_now
        where id = any (v_ids)
        returning *
    ), told as (
        insert into job_events (job_id, at, event, actor, attempt) select id, v_now, 'claimed', p_worker_id, attempt from taken
    )
    select id, id, job_type, job_name, job_category, lane, job_lane, priority, owner_user_id, job_payload, job_config, status,
        scheduled_at, attempt, crashes, reschedules, greatest(attempt - 1, 0), worker_id, run_token, lease_seconds, lease_until,
        heartbeat_at, cancel_requested, idempotency_key, correlation_id, parent_id, progress, last_error, started_at, created_at,
        updated_at
    from taken order by priority desc, scheduled_at, id;
end $$;

-- Keeps leases. It never waits: of a row that somebody is writing to it answers that it was not renewed. What is not answered
-- does not hold.
create function renew_job_leases(p_worker_id text, p_job_ids uuid[], p_run_tokens uuid[], p_now timestamptz default null)
returns table (run_token uuid, is_renewed boolean, cancel_requested boolean)
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
begin
    return query
    with held as materialized (
        select q.id, q.run_token, q.cancel_requested from unnest(p_job_ids, p_run_tokens) as l (id, token) join job_queue q on q.id = l.id
        -- `is true`: by id, and not by way of all that the worker runs.
        where q.run_token = l.token and (q.worker_id = p_worker_id and q.status = 'running') is true
    ), free as materialized (
        select q.id, held.run_token from held join job_queue q on q.id = held.id
        where q.run_token = held.run_token and (q.worker_id = p_worker_id and q.status = 'running') is true
        for update of q skip locked
    ), renewed as (
        update job_queue q set lease_until = v_now + make_interval(secs => q.lease_seconds), heartbeat_at = v_now
        from free where q.id = free.id returning free.run_token
    )
    select held.run_token, exists (select from renewed where renewed.run_token = held.run_token), held.cancel_requested from held;
end $$;

create function update_job_heartbeat(
    p_job_id uuid, p_worker_id text, p_run_token uuid default null, p_now timestamptz default null
) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
begin
    update job_queue set lease_until = v_now + make_interval(secs => lease_seconds), heartbeat_at = v_now
    where id = p_job_id and status = 'running' and worker_id = p_worker_id and (p_run_token is null or run_token = p_run_token);
    return found;
end $$;

-- Ends successful runs together; answers the tokens of those whose lease held.
create function complete_jobs(
    p_worker_id text, p_job_ids uuid[], p_run_tokens uuid[], p_results jsonb[], p_ttl_seconds double precision[],
    p_now timestamptz default null
) returns setof uuid
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set plan_cache_mode = force_generic_plan set lock_timeout = '2s' as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
begin
    return query
    with done as (
        update job_queue q set status = 'succeeded', job_result = l.result, completed_at = v_now, updated_at = v_now,
            result_expires_at = v_now + make_interval(secs => l.ttl), run_token = null, lease_until = null, heartbeat_at = null,
            last_error = null, cause = null
        from unnest(p_job_ids, p_run_tokens, p_results, p_ttl_seconds) as l (id, token, result, ttl)
        -- `is true`: by id, and not by way of all that the worker runs.
        where q.id = l.id and q.run_token = l.token and (q.worker_id = p_worker_id and q.status = 'running') is true
        returning q.id, q.attempt, l.token
    ), told as (
        insert into job_events (job_id, at, event, actor, attempt)
        select done.id, v_now, 'succeeded', p_worker_id, done.attempt from done
    )
    select done.token from done;
end $$;

-- Ends one run in any state. Without a token the worker must hold the lease.
create function job_settle(
    p_job_id uuid, p_worker_id text, p_run_token uuid, p_status text, p_charged boolean, p_put_off boolean,
    p_run_at timestamptz, p_delay_seconds double precision, p_error text, p_cause text, p_result jsonb,
    p_ttl_seconds double precision, p_now timestamptz
) returns boolean
language plpgsql set lock_timeout = '2s' as $$
declare
    v_waits boolean := p_status in ('queued', 'retrying');
    v_status text;
    v_attempt integer;
begin
    -- A job that was asked to stop does not wait for another run.
    update job_queue set status = case when v_waits and cancel_requested then 'cancelled' else p_status end,
        attempt = case when p_charged then attempt else greatest(attempt - 1, 0) end,
        reschedules = reschedules + case when p_put_off then 1 else 0 end,
        scheduled_at = case when v_waits
            then case
                -- Clocks differ: what is put off until an instant is never due at once.
                when p_put_off and p_run_at is not null then greatest(p_run_at, p_now + interval '1 second')
                else coalesce(p_run_at, p_now + make_interval(secs => coalesce(p_delay_seconds, 0)))
            end else scheduled_at end,
        job_result = p_result, result_expires_at = p_now + make_interval(secs => p_ttl_seconds),
        last_error = case when p_status = 'succeeded' then null else coalesce(left(p_error, 2000), last_error) end, cause = p_cause,
        completed_at = case when v_waits and not cancel_requested then null else p_now end,
        dead_letter_at = case when p_status = 'dead' then p_now end,
        run_token = null, lease_until = null, heartbeat_at = null, cancel_requested = false, updated_at = p_now
    where id = p_job_id and status = 'running' and worker_id = p_worker_id and (p_run_token is null or run_token = p_run_token)
    returning status, attempt into v_status, v_attempt;
    if not found then return false; end if;
    insert into job_events (job_id, at, event, actor, attempt, reason)
    values (p_job_id, p_now, v_status, p_worker_id, v_attempt, left(coalesce(p_error, p_cause), 2000));
    return true;
end $$;

create function complete_job(
    p_job_id uuid, p_worker_id text, p_job_result jsonb default null, p_run_token uuid default null, p_now timestamptz default null
) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_ttl double precision;
begin
    select (job_config ->> 'result_ttl_seconds')::double precision into v_ttl from job_queue where id = p_job_id;
    return job_settle(p_job_id, p_worker_id, p_run_token, 'succeeded', true, false, null, null, null, null, p_job_result, v_ttl,
        coalesce(p_now, clock_timestamp()));
end $$;

-- The wait after the n-th failure, by the rules of a job; p_draw (0 to 1) decides the jitter. Never longer than ten years, as in
-- the library. The power is taken by logarithms and cut, because Postgres refuses numbers that are too large or too small.
create function job_retry_wait(p_config jsonb, p_failures integer, p_draw double precision) returns double precision
language plpgsql immutable as $$
declare
    v_retry jsonb := coalesce(p_config -> 'retry',
        '{"exponential": {"base_seconds": 10, "factor": 2, "cap_seconds": 900, "jitter": "full"}}');
    v_rule jsonb := coalesce(v_retry -> 'fixed', v_retry -> 'exponential');
    v_jitter jsonb := coalesce(v_rule -> 'jitter', '"full"');
    v_factor double precision := greatest((v_rule ->> 'factor')::double precision, 1e-300);
    v_exponent double precision := greatest(p_failures - 1, 0) + coalesce((v_rule ->> 'first_exponent')::double precision, 0);
    v_wait double precision;
begin
    if v_retry ? 'fixed' then
        v_wait := coalesce((v_rule -> 'seconds' ->> least(p_failures, jsonb_array_length(v_rule -> 'seconds')) - 1)::double precision, 0);
    else
        -- By logarithms, so that no power is beyond what a number holds.
        v_wait := least((v_rule ->> 'cap_seconds')::double precision, (v_rule ->> 'base_seconds')::double precision
            * exp(greatest(least(v_exponent * ln(v_factor), 300), -300)));
    end if;
    return greatest(0, least(315360000, case
        when v_jitter = '"full"' then v_wait * p_draw
        when v_jitter ? 'additive' then v_wait + p_draw * least(v_wait * (v_jitter -> 'additive' ->> 'fraction')::double precision,
            (v_jitter -> 'additive' ->> 'cap_seconds')::double precision)
        else v_wait
    end));
end $$;

-- An ordinary failure: tried again while tries are left, then dead; one that is not retryable has failed for good.
create function fail_job(
    p_job_id uuid, p_worker_id text, p_error text, p_retryable boolean default true, p_run_token uuid default null,
    p_now timestamptz default null
) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_job job_queue;
begin
    select * into v_job from job_queue where id = p_job_id;
    if not found then return false; end if;
    if not p_retryable then
        return job_settle(p_job_id, p_worker_id, p_run_token, 'failed', true, false, null, null, p_error, null, null, null, v_now);
    elsif v_job.attempt >= coalesce((v_job.job_config ->> 'max_attempts')::integer, 5) then
        return job_settle(p_job_id, p_worker_id, p_run_token, 'dead', true, false, null, null, p_error, 'attempts', null, null, v_now);
    end if;
    return job_settle(p_job_id, p_worker_id, p_run_token, 'retrying', true, false, null,
        job_retry_wait(v_job.job_config, v_job.attempt, random()), p_error, null, null, null, v_now);
end $$;

-- Puts a job off without a charge, as often as its rules allow; then it is dead. A running job only by its holder; one that waits
-- only by who does not claim to hold it: a worker that names itself or its run has lost the job.
create function reschedule_job(
    p_job_id uuid, p_delay_seconds integer, p_reason text, p_add_jitter boolean default true, p_worker_id text default null,
    p_run_token uuid default null, p_now timestamptz default null
) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_delay double precision := p_delay_seconds
        + case when p_add_jitter then random() * least(p_delay_seconds * 0.5, 30) else 0 end;
    v_job job_queue;
begin
    if p_delay_seconds is null or p_delay_seconds < 0 then
        perform job_refuse('negative_delay', 'a job cannot start before now');
    end if;
    select * into v_job from job_queue where id = p_job_id for update;
    if not found then return false; end if;
    if v_job.status = 'running' or p_worker_id is not null or p_run_token is not null then
        -- Only its holder puts a running job off, and a holder puts off nothing else.
        if v_job.status <> 'running' or v_job.worker_id is distinct from p_worker_id
            or (p_run_token is not null and v_job.run_token <> p_run_token) then return false; end if;
        if v_job.reschedules >= coalesce((v_job.job_config ->> 'max_reschedules')::integer, 1000) then
            return job_settle(p_job_id, p_worker_id, p_run_token, 'dead', false, false, null, null,
                format('it was put off %s times', v_job.reschedules), 'reschedules', null, null, v_now);
        end if;
        return job_settle(p_job_id, p_worker_id, p_run_token, 'queued', false, true, null, v_delay, p_reason, null, null, null, v_now);
    end if;
    if v_job.status not in ('queued', 'retrying')
        or v_job.reschedules >= coalesce((v_job.job_config ->> 'max_reschedules')::integer, 1000) then return false; end if;
    update job_queue set scheduled_at = v_now + make_interval(secs => v_delay), reschedules = reschedules + 1, updated_at = v_now
    where id = p_job_id;
    insert into job_events (job_id, at, event, actor, attempt, reason)
    values (p_job_id, v_now, v_job.status, 'operator', v_job.attempt, p_reason);
    return true;
end $$;

-- Queues a job again that ended badly, or runs one at once that waits: tries, crashes and put-offs begin at zero, the history
-- stays, and its active key stands for it again. False for a job that runs, succeeded, or whose key stands for another by now.
create function retry_job(p_job_id uuid, p_actor text, p_now timestamptz default null) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_job job_queue;
    v_key job_keys;
begin
    select * into v_job from job_queue where id = p_job_id;
    if v_job.idempotency_key is not null then
        select * into v_key from job_keys
        where scope = v_job.job_type || '/' || coalesce(v_job.owner_user_id::text, '') and key = v_job.idempotency_key for update;
        if found and v_key.holds = 'active' and v_key.job_id <> p_job_id then
            if exists (select from job_queue where id = v_key.job_id and status in ('queued', 'running', 'retrying')) then return false; end if;
            update job_keys set job_id = p_job_id, payload_hash = encode(sha256(convert_to(v_job.job_payload::text, 'UTF8')), 'hex')
            where scope = v_key.scope and key = v_key.key;
        elsif not found then
            insert into job_keys (scope, key, job_id, payload_hash, holds)
            values (v_job.job_type || '/' || coalesce(v_job.owner_user_id::text, ''), v_job.idempotency_key, p_job_id,
                encode(sha256(convert_to(v_job.job_payload::text, 'UTF8')), 'hex'), 'active') on conflict do nothing;
            if not found then return false; end if;
        end if;
    end if;
    update job_queue set status = 'queued', scheduled_at = v_now, attempt = 0, crashes = 0, reschedules = 0, cancel_requested = false,
        progress = null, job_result = null, result_expires_at = null, cause = null, completed_at = null, dead_letter_at = null,
        updated_at = v_now
    where id = p_job_id and status not in ('running', 'succeeded');
    if not found then return false; end if;
    insert into job_events (job_id, at, event, actor, attempt) values (p_job_id, v_now, 'retried', p_actor, 0);
    return true;
end $$;

-- Takes back what workers lost: leases that ended, and everything of the workers that are gone.
create function rescue_jobs(p_gone text[] default '{}', p_now timestamptz default null)
returns table (job_id uuid, worker_id text, crashes integer, status text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_now timestamptz := coalesce(p_now, clock_timestamp());
begin
    if cardinality(p_gone) > 0 then
        delete from job_workers where worker_id = any (p_gone);
        update api_permits set released_at = v_now where worker_id = any (p_gone) and released_at is null;
    end if;
    return query
    with lost as materialized (
        select id, worker_id as holder, crashes + 1 as died, cancel_requested from job_queue
        where status = 'running' and (lease_until <= v_now or worker_id = any (p_gone))
        order by id for update skip locked
    ), taken as (
        update job_queue q set
            status = case when lost.cancel_requested then 'cancelled' when lost.died >= 5 then 'dead' else 'retrying' end,
            attempt = greatest(q.attempt - 1, 0), crashes = lost.died,
            scheduled_at = v_now + make_interval(secs => case lost.died when 1 then 0 when 2 then 1 when 3 then 5 else 15 end),
            last_error = format('its worker %s died or fell silent', lost.holder),
            cause = case when lost.died >= 5 and not lost.cancel_requested then 'crash' end,
            completed_at = case when lost.died >= 5 or lost.cancel_requested then v_now end,
            dead_letter_at = case when lost.died >= 5 and not lost.cancel_requested then v_now end,
            run_token = null, lease_until = null, heartbeat_at = null, cancel_requested = false, updated_at = v_now
        from lost where q.id = lost.id
        returning q.id, lost.holder, q.crashes, q.status, q.attempt
    ), told as (
        insert into job_events (job_id, at, event, actor, attempt, reason)
        select t.id, v_now, 'rescued', null, t.attempt, t.holder from taken t
    )
    select t.id, t.holder, t.crashes, t.status from taken t;
end $$;

-- Seconds until the next waiting job of these types and lanes is due: 0 if one is, null if none waits.
create function job_next_due(
    p_job_types text[] default null, p_job_lanes text[] default null, p_alone boolean default false, p_now timestamptz default null
) returns double precision
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_next timestamptz;
begin
    if p_alone then
        select min(scheduled_at) into v_next from job_queue
        where status in ('queued', 'retrying') and crashes >= 2
            and (p_job_types is null or job_type = any (p_job_types)) and (p_job_lanes is null or lane = any (p_job_lanes));
    else
        with recursive groups as (
            (select lane, job_type, priority, scheduled_at from job_queue
             where status in ('queued', 'retrying') and crashes < 2
             order by lane, job_type, priority, scheduled_at limit 1)
            union all
            select next.* from groups g cross join lateral (
                select q.lane, q.job_type, q.priority, q.scheduled_at from job_queue q
                where q.status in ('queued', 'retrying') and q.crashes < 2
                    and (q.lane, q.job_type, q.priority) > (g.lane, g.job_type, g.priority)
                order by q.lane, q.job_type, q.priority, q.scheduled_at limit 1
            ) as next
        )
        select min(scheduled_at) into v_next from groups
        where (p_job_types is null or job_type = any (p_job_types)) and (p_job_lanes is null or lane = any (p_job_lanes));
    end if;
    return case when v_next is not null then greatest(0, extract(epoch from v_next - coalesce(p_now, clock_timestamp()))) end;
end $$;
