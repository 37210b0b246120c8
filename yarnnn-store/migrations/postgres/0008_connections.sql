-- Connections that are kept in order by many processes, sign-ins that are under way, pages of runs that rebuild, and what is
-- known of a person.
alter table platform_connections
    -- Counts the changes of the row: a change names the one it was made from.
    add column version bigint not null default 1,
    -- Counts the accounts that the row stood for: what is read in the name of a former one is not stored.
    add column account_epoch bigint not null default 1,
    -- Counts the replacements of the credentials, and says who is about to replace them.
    add column credential_generation bigint not null default 1,
    add column refresh_holder uuid,
    add column refresh_until timestamptz;

create index platform_connections_live on platform_connections (id) where status in ('active', 'connected');

alter table sync_registry add column audited_at timestamptz;

create table oauth_states (
    -- The digest: who reads the table cannot end a sign-in.
    state text primary key,
    user_id uuid not null references users (id) on delete cascade,
    provider text not null,
    created_at timestamptz not null,
    used_at timestamptz
);

create index oauth_states_oldest on oauth_states (created_at);

create table content_shadow (
    user_id uuid not null references users (id) on delete cascade,
    platform text not null check (platform in ('slack', 'gmail', 'notion', 'calendar')),
    resource_id text not null,
    run_token bigint not null,
    number bigint not null,
    -- Text: nobody asks for what is inside, and it comes back as it went in.
    page text not null,
    created_at timestamptz not null,
    primary key (user_id, platform, resource_id, run_token, number)
);

create table user_context (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    key text not null,
    value text not null,
    source text not null,
    confidence double precision not null default 1.0 check (confidence between 0 and 1),
    source_ref uuid,
    source_type text check (source_type in ('session_message', 'deliverable_version', 'platform_content', 'activity_log')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, key)
);

alter table activity_log drop constraint activity_log_event_type_check;
alter table activity_log add constraint activity_log_event_type_check check
    (event_type in ('platform_synced', 'deliverable_run', 'integration_connected', 'integration_disconnected'));

alter table platform_connections enable row level security;
alter table oauth_states enable row level security;
alter table content_shadow enable row level security;
alter table user_context enable row level security;
