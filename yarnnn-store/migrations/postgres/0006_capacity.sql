-- What providers allow (names of the Exora brief), and the permits that were granted.
create table api_rate_limits (
    provider_name text not null,
    api_endpoint text not null,
    requests_per_second bigint,
    requests_per_minute bigint,
    requests_per_hour bigint,
    tokens_per_minute bigint,
    tokens_per_hour bigint,
    concurrent_requests bigint,
    min_interval_ms bigint,
    -- Of the requests of a minute; above it new jobs of that provider start later.
    backpressure_threshold double precision not null default 0.8,
    backpressure_delay_seconds bigint not null default 5,
    status text not null default 'active' check (status in ('active', 'disabled', 'maintenance')),
    last_rate_limit_hit timestamptz,
    rate_limit_violations bigint not null default 0,
    grants bigint not null default 0,
    primary key (provider_name, api_endpoint)
);

-- A permit counts in the windows in which it was granted, and among the concurrent ones until it ends. Rows stay as long as a
-- window can reach back.
create table api_permits (
    id uuid primary key,
    provider_name text not null,
    api_endpoint text not null,
    worker_id text not null,
    tokens bigint not null,
    acquired_at timestamptz not null,
    expires_at timestamptz not null,
    released_at timestamptz,
    foreign key (provider_name, api_endpoint) references api_rate_limits (provider_name, api_endpoint) on delete cascade
);

create index api_permits_window on api_permits (provider_name, api_endpoint, acquired_at);
create index api_permits_held on api_permits (provider_name, api_endpoint, expires_at) where released_at is null;

insert into api_rate_limits
    (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
values
    ('openai', 'gpt-4o-mini', 500, 200000, 50),
    ('openai', 'gpt-4-vision', 100, 20000, 20),
    ('google', 'vision-api', 1800, null, 100),
    ('anthropic', 'claude-3', 400, 100000, 25);

alter table api_rate_limits enable row level security;
alter table api_permits enable row level security;

-- When a permit of p_tokens could be had: null for now, else the instant. Rows are read newest first; the window slides, so the
-- n-th newest decides for n requests.
create function api_blocked_until(p_limits api_rate_limits, p_tokens bigint, p_now timestamptz) returns timestamptz
language plpgsql stable as $$
declare
    v_until timestamptz;
    v_window record;
    v_at timestamptz;
begin
    for v_window in
        select * from (values
            (p_limits.requests_per_second, null::bigint, interval '1 second'),
            (p_limits.requests_per_minute, p_limits.tokens_per_minute, interval '1 minute'),
            (p_limits.requests_per_hour, p_limits.tokens_per_hour, interval '1 hour')
        ) as w (requests, tokens, length)
    loop
        if v_window.requests is not null then
            select acquired_at into v_at from api_permits
            where provider_name = p_limits.provider_name and api_endpoint = p_limits.api_endpoint
                and acquired_at > p_now - v_window.length
            order by acquired_at desc offset v_window.requests - 1 limit 1;
            v_until := greatest(v_until, v_at + v_window.length);
        end if;
        if v_window.tokens is not null then
            select max(acquired_at) into v_at from (
                select acquired_at, sum(tokens) over (order by acquired_at desc, id) as total from api_permits
                where provider_name = p_limits.provider_name and api_endpoint = p_limits.api_endpoint
                    and acquired_at > p_now - v_window.length
            ) as spent where total > v_window.tokens - p_tokens;
            v_until := greatest(v_until, v_at + v_window.length);
        end if;
    end loop;
    if p_limits.min_interval_ms is not null then
        select max(acquired_at) + make_interval(secs => p_limits.min_interval_ms / 1000.0) into v_at from api_permits
        where provider_name = p_limits.provider_name and api_endpoint = p_limits.api_endpoint;
        v_until := greatest(v_until, case when v_at > p_now then v_at end);
    end if;
    if p_limits.concurrent_requests is not null then
        select expires_at into v_at from (
            select expires_at from api_permits
            where provider_name = p_limits.provider_name and api_endpoint = p_limits.api_endpoint
                and released_at is null and expires_at > p_now
            order by expires_at desc offset p_limits.concurrent_requests - 1 limit 1
        ) as held;
        v_until := greatest(v_until, v_at);
    end if;
    return v_until;
end $$;

-- Asks for a permit. Granted, or to be asked for again after so many seconds, or never (with the reason).
create function acquire_api_permit(
    p_provider_name text, p_api_endpoint text, p_estimated_tokens bigint, p_worker_id text,
    p_lease_seconds double precision default 60, p_now timestamptz default null
) returns table (permit_id uuid, expires_at timestamptz, retry_after_seconds double precision, impossible text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_limits api_rate_limits;
    v_now timestamptz;
    v_until timestamptz;
    v_why text;
    v_id uuid := gen_random_uuid();
begin
    -- One at a time per endpoint; the time is taken when it is our turn.
    select * into v_limits from api_rate_limits
    where provider_name = p_provider_name and api_endpoint = p_api_endpoint for update;
    if not found then perform job_refuse('unknown_endpoint', format('no limits are set for %s %s', p_provider_name, p_api_endpoint)); end if;
    v_now := coalesce(p_now, clock_timestamp());
    if p_estimated_tokens is null or p_estimated_tokens < 0 then perform job_refuse('bad_tokens', 'tokens are a number from zero'); end if;
    v_why := case
        when v_limits.status <> 'active' then format('%s %s is %s', p_provider_name, p_api_endpoint, v_limits.status)
        when p_estimated_tokens > least(v_limits.tokens_per_minute, v_limits.tokens_per_hour)
            then format('%s tokens are more than %s %s ever allows', p_estimated_tokens, p_provider_name, p_api_endpoint)
        when 0 in (v_limits.requests_per_second, v_limits.requests_per_minute, v_limits.requests_per_hour, v_limits.concurrent_requests)
            then format('%s %s allows no request at all', p_provider_name, p_api_endpoint)
    end;
    if v_why is null then v_until := api_blocked_until(v_limits, p_estimated_tokens, v_now); end if;
    if v_why is not null or v_until is not null then
        update api_rate_limits set last_rate_limit_hit = v_now, rate_limit_violations = rate_limit_violations + 1
        where provider_name = p_provider_name and api_endpoint = p_api_endpoint;
        return query select null::uuid, null::timestamptz, extract(epoch from v_until - v_now)::double precision, v_why;
        return;
    end if;
    -- Written, so that a caller whose snapshot is older than the last grant is told, and not let through.
    update api_rate_limits set grants = grants + 1 where provider_name = p_provider_name and api_endpoint = p_api_endpoint;
    insert into api_permits (id, provider_name, api_endpoint, worker_id, tokens, acquired_at, expires_at)
    values (v_id, p_provider_name, p_api_endpoint, p_worker_id, p_estimated_tokens, v_now,
        v_now + make_interval(secs => p_lease_seconds));
    return query select v_id, v_now + make_interval(secs => p_lease_seconds), null::double precision, null::text;
end $$;

create function release_api_permit(p_permit_id uuid, p_actual_tokens bigint default null, p_now timestamptz default null)
returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update api_permits set released_at = coalesce(p_now, clock_timestamp()), tokens = coalesce(p_actual_tokens, tokens)
    where id = p_permit_id and released_at is null;
    return found;
end $$;

-- Exora's words for the same: a permit of the caller's, known by what it asked for.
create function acquire_api_capacity(
    p_provider_name text, p_api_endpoint text, p_estimated_tokens bigint default 1000, p_worker_id text default null,
    p_lease_seconds double precision default 60, p_now timestamptz default null
) returns boolean
language sql security definer set search_path = public, pg_temp as $$
    select permit_id is not null from acquire_api_permit(p_provider_name, p_api_endpoint, p_estimated_tokens,
        coalesce(p_worker_id, 'session ' || pg_backend_pid()), p_lease_seconds, p_now)
$$;

create function release_api_capacity(
    p_provider_name text, p_api_endpoint text, p_estimated_tokens bigint default 1000, p_actual_tokens bigint default null,
    p_worker_id text default null, p_now timestamptz default null
) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform release_api_permit(id, p_actual_tokens, p_now) from (
        select id from api_permits
        where provider_name = p_provider_name and api_endpoint = p_api_endpoint and released_at is null
            and worker_id = coalesce(p_worker_id, 'session ' || pg_backend_pid()) and tokens = p_estimated_tokens
        order by acquired_at limit 1
    ) as oldest;
end $$;

-- How much later a new job of this provider starts: nothing, or the endpoint's delay while its minute is nearly used up.
create function job_backpressure(p_provider text, p_endpoint text, p_now timestamptz) returns interval
language sql stable as $$
    select coalesce(max(make_interval(secs => l.backpressure_delay_seconds)), interval '0')
    from api_rate_limits l
    where l.provider_name = p_provider and l.api_endpoint = p_endpoint and l.requests_per_minute > 0
        and (select count(*) from api_permits p where p.provider_name = p_provider and p.api_endpoint = p_endpoint
            and p.acquired_at > p_now - interval '1 minute') > l.backpressure_threshold * l.requests_per_minute
$$;
