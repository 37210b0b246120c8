-- Messages with their exact bytes, before the first send.
create table outbox (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    version_id text not null references deliverable_versions (id) on delete cascade,
    -- Made with the intent to send; a second message with the same key is not queued.
    key text not null,
    channel text not null,
    target text not null,
    payload text not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
    attempts integer not null default 0,
    external_id text,
    error text,
    last_attempt_at text,
    sent_at text,
    created_at text not null,
    updated_at text not null,
    unique (user_id, key)
) strict;

create index outbox_version on outbox (version_id);
