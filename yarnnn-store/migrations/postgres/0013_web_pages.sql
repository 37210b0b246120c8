-- Pages of the web that a version was written from, as they were read: sentences are bound to them, and checked later.

-- A new table that refers to others waits for their writers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

create table web_pages (
    -- What evidence calls it: an id as those of platform_content.
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    version_id uuid not null references deliverable_versions (id) on delete cascade,
    -- Addresses may be longer than what an index takes.
    url_sha256 text not null,
    fetched_at timestamptz not null,
    created_at timestamptz not null,
    url text not null,
    title text not null,
    content text not null,
    unique (version_id, url_sha256)
);

create index web_pages_user on web_pages (user_id);

alter table web_pages enable row level security;
