-- Connections, the content store, what was seen of each resource, and the index of words.
create table platform_connections (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    platform text not null,
    status text not null default 'active'
        check (status in ('active', 'connected', 'expired', 'revoked', 'error', 'disconnected')),
    credentials_encrypted text,
    refresh_token_encrypted text,
    metadata text not null default '{}',
    settings text not null default '{}',
    last_synced_at text,
    landscape text,
    landscape_discovered_at text,
    last_error text,
    created_at text not null,
    updated_at text not null,
    unique (user_id, platform)
) strict;

create table platform_content (
    -- A stable number for the index of words; everything else names a row by its id.
    row integer primary key,
    id text not null unique,
    user_id text not null references users (id) on delete cascade,
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
    is_user_authored integer not null default 0 check (is_user_authored in (0, 1)),
    source_timestamp text,
    version_of text references platform_content (id) on delete set null,
    is_current integer not null default 1 check (is_current in (0, 1)),
    origin text not null check (origin in ('live', 'import')),
    withdrawn_at text,
    fetched_at text not null,
    retained integer not null default 0 check (retained in (0, 1)),
    retained_reason text check (retained_reason in ('deliverable_execution', 'signal_processing', 'tp_session', 'user_import')),
    retained_ref text,
    retained_at text,
    expires_at text,
    created_at text not null,
    updated_at text not null,
    -- What is long comes last, so that what is asked of a row is found without reading through it.
    metadata text not null default '{}',
    content text not null,
    unique (user_id, platform, resource_id, item_id, content_hash),
    check (
        (retained = 1 and expires_at is null and retained_at is not null and retained_reason is not null)
        or (retained = 0 and expires_at is not null and retained_at is null and retained_reason is null)
    )
) strict;

create index platform_content_newest on platform_content (user_id, source_timestamp desc);
create index platform_content_expiring on platform_content (expires_at) where retained = false;
create index platform_content_revisions on platform_content (version_of) where version_of is not null;
-- Only one row of an item is current.
create unique index platform_content_current on platform_content (user_id, platform, resource_id, item_id) where is_current = true;

-- Words as the store cuts them (lower case, no accents, stemmed), separated by spaces. The index keeps them, so that a row can
-- be deleted by any SQLite from 3.37 on, also by hand.
create virtual table platform_content_search using fts5 (title, author, content, tokenize = 'ascii', detail = 'column');

create trigger platform_content_search_delete after delete on platform_content begin
    delete from platform_content_search where rowid = old.row;
end;

create table sync_registry (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    platform text not null check (platform in ('slack', 'gmail', 'notion', 'calendar')),
    resource_id text not null,
    resource_name text not null,
    last_synced_at text,
    platform_cursor text,
    item_count integer not null default 0,
    source_latest_at text,
    last_error text,
    last_error_at text,
    sync_metadata text not null default '{}',
    -- The fence: a run may commit only while this is its own number.
    run_token integer not null default 0,
    covered text not null default '[]',
    gaps text not null default '[]',
    -- What the pages of the running run have reported so far.
    pending text not null default '{}',
    created_at text not null,
    updated_at text not null,
    unique (user_id, platform, resource_id)
) strict;
