-- Connections that are kept in order by many processes, sign-ins that are under way, pages of runs that rebuild, and what is
-- known of a person.

-- Counts the changes of the row: a change names the one it was made from.
alter table platform_connections add column version integer not null default 1;
-- Counts the accounts that the row stood for: what is read in the name of a former one is not stored.
alter table platform_connections add column account_epoch integer not null default 1;
-- Counts the replacements of the credentials, and says who is about to replace them.
alter table platform_connections add column credential_generation integer not null default 1;
alter table platform_connections add column refresh_holder text;
alter table platform_connections add column refresh_until text;

create index platform_connections_live on platform_connections (id) where status in ('active', 'connected');

alter table sync_registry add column audited_at text;

create table oauth_states (
    -- The digest: who reads the table cannot end a sign-in.
    state text primary key,
    user_id text not null references users (id) on delete cascade,
    provider text not null,
    created_at text not null,
    used_at text
) strict;

create index oauth_states_oldest on oauth_states (created_at);

create table content_shadow (
    user_id text not null references users (id) on delete cascade,
    platform text not null check (platform in ('slack', 'gmail', 'notion', 'calendar')),
    resource_id text not null,
    run_token integer not null,
    number integer not null,
    page text not null,
    created_at text not null,
    primary key (user_id, platform, resource_id, run_token, number)
) strict;

create table user_context (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    key text not null,
    value text not null,
    source text not null,
    confidence real not null default 1.0 check (confidence between 0 and 1),
    source_ref text,
    source_type text check (source_type in ('session_message', 'deliverable_version', 'platform_content', 'activity_log')),
    created_at text not null,
    updated_at text not null,
    unique (user_id, key)
) strict;

-- A check cannot be changed in place.
create table activity_log_new (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    event_type text not null check
        (event_type in ('platform_synced', 'deliverable_run', 'integration_connected', 'integration_disconnected')),
    event_ref text,
    summary text not null,
    metadata text not null default '{}',
    created_at text not null,
    unique (user_id, event_type, event_ref)
) strict;

insert into activity_log_new (id, user_id, event_type, event_ref, summary, metadata, created_at)
select id, user_id, event_type, event_ref, summary, metadata, created_at from activity_log;

drop table activity_log;
alter table activity_log_new rename to activity_log;
create index activity_log_newest on activity_log (user_id, created_at desc);
