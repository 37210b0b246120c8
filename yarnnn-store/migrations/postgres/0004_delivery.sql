-- Messages with their exact bytes, before the first send.
create table outbox (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    version_id uuid not null references deliverable_versions (id) on delete cascade,
    -- Made with the intent to send; a second message with the same key is not queued.
    key text not null,
    channel text not null,
    target text not null,
    payload jsonb not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
    attempts bigint not null default 0,
    external_id text,
    error text,
    last_attempt_at timestamptz,
    sent_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, key)
);

create index outbox_version on outbox (version_id);
