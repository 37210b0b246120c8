-- What providers allow (names of the Exora brief), and the permits that were granted.
create table api_rate_limits (
    provider_name text not null,
    api_endpoint text not null,
    requests_per_second integer,
    requests_per_minute integer,
    requests_per_hour integer,
    tokens_per_minute integer,
    tokens_per_hour integer,
    concurrent_requests integer,
    min_interval_ms integer,
    -- Of the requests of a minute; above it new jobs of that provider start later.
    backpressure_threshold real not null default 0.8,
    backpressure_delay_seconds integer not null default 5,
    status text not null default 'active' check (status in ('active', 'disabled', 'maintenance')),
    last_rate_limit_hit text,
    rate_limit_violations integer not null default 0,
    grants integer not null default 0,
    primary key (provider_name, api_endpoint)
) strict;

-- A permit counts in the windows in which it was granted, and among the concurrent ones until it ends. Rows stay as long as a
-- window can reach back.
create table api_permits (
    id text primary key,
    provider_name text not null,
    api_endpoint text not null,
    worker_id text not null,
    tokens integer not null,
    acquired_at text not null,
    expires_at text not null,
    released_at text,
    foreign key (provider_name, api_endpoint) references api_rate_limits (provider_name, api_endpoint) on delete cascade
) strict;

create index api_permits_window on api_permits (provider_name, api_endpoint, acquired_at);
create index api_permits_held on api_permits (provider_name, api_endpoint, expires_at) where released_at is null;

insert into api_rate_limits
    (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
values
    ('openai', 'gpt-4o-mini', 500, 200000, 50),
    ('openai', 'gpt-4-vision', 100, 20000, 20),
    ('google', 'vision-api', 1800, null, 100),
    ('anthropic', 'claude-3', 400, 100000, 25);
