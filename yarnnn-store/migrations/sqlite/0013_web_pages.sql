-- Pages of the web that a version was written from, as they were read: sentences are bound to them, and checked later.
create table web_pages (
    -- What evidence calls it: an id as those of platform_content.
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    version_id text not null references deliverable_versions (id) on delete cascade,
    -- Addresses may be longer than what an index takes.
    url_sha256 text not null,
    fetched_at text not null,
    created_at text not null,
    url text not null,
    title text not null,
    content text not null,
    unique (version_id, url_sha256)
) strict;

create index web_pages_user on web_pages (user_id);
