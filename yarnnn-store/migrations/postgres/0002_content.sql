-- Connections, the content store, what was seen of each resource, and the index of words.
create table platform_connections (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    platform text not null,
    status text not null default 'active'
        check (status in ('active', 'connected', 'expired', 'revoked', 'error', 'disconnected')),
    credentials_encrypted text,
    refresh_token_encrypted text,
    metadata jsonb not null default '{}',
    settings jsonb not null default '{}',
    last_synced_at timestamptz,
    landscape jsonb,
    landscape_discovered_at timestamptz,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, platform)
);

create table platform_content (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    platform text not null check (platform in ('slack', 'gmail', 'notion', 'calendar')),
    resource_id text not null,
    resource_name text not null,
    item_id text not null,
    content_type text not null check (content_type in ('message', 'thread_reply', 'email', 'page', 'event')),
    content_hash text not null,
    title text,
    author text,
    author_id text,
    -- The author's name as it is compared.
    author_lower text,
    is_user_authored boolean not null default false,
    source_timestamp timestamptz,
    version_of uuid references platform_content (id) on delete set null,
    is_current boolean not null default true,
    origin text not null check (origin in ('live', 'import')),
    withdrawn_at timestamptz,
    fetched_at timestamptz not null,
    retained boolean not null default false,
    retained_reason text check (retained_reason in ('deliverable_execution', 'signal_processing', 'tp_session', 'user_import')),
    retained_ref uuid,
    retained_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- What is long comes last, so that what is asked of a row is found without reading through it.
    metadata jsonb not null default '{}',
    -- Words as the store cuts them (lower case, no accents, stemmed), with their positions.
    search tsvector not null,
    content text not null,
    unique (user_id, platform, resource_id, item_id, content_hash),
    check (
        (retained and expires_at is null and retained_at is not null and retained_reason is not null)
        or (not retained and expires_at is not null and retained_at is null and retained_reason is null)
    )
);

create index platform_content_newest on platform_content (user_id, source_timestamp desc nulls last);
create index platform_content_expiring on platform_content (expires_at) where retained = false;
create index platform_content_revisions on platform_content (version_of) where version_of is not null;
-- Only one row of an item is current.
create unique index platform_content_current on platform_content (user_id, platform, resource_id, item_id) where is_current = true;
create index platform_content_search on platform_content using gin (search);

create table sync_registry (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    platform text not null check (platform in ('slack', 'gmail', 'notion', 'calendar')),
    resource_id text not null,
    resource_name text not null,
    last_synced_at timestamptz,
    platform_cursor text,
    item_count bigint not null default 0,
    source_latest_at timestamptz,
    last_error text,
    last_error_at timestamptz,
    sync_metadata jsonb not null default '{}',
    -- The fence: a run may commit only while this is its own number.
    run_token bigint not null default 0,
    covered jsonb not null default '[]',
    gaps jsonb not null default '[]',
    -- What the pages of the running run have reported so far.
    pending jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, platform, resource_id)
);
