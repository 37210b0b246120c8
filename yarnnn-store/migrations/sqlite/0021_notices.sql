-- A run that ended before it had a version is told of too.
create table outbox_new (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    version_id text references deliverable_versions (id) on delete cascade,
    -- Made with the intent to send; a second message with the same key is not queued.
    key text not null,
    channel text not null,
    target text not null,
    payload text not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed', 'unknown', 'held')),
    attempts integer not null default 0,
    external_id text,
    error text,
    -- Providers remember the key of a message for a time that begins with its first attempt.
    first_attempt_at text,
    last_attempt_at text,
    sent_at text,
    created_at text not null,
    updated_at text not null,
    -- A notice tells its owner what became of a report. It is none of the messages by which the report arrives.
    purpose text not null default 'report' check (purpose in ('report', 'notice')),
    unique (user_id, key),
    check (version_id is not null or purpose = 'notice')
) strict;

insert into outbox_new (id, user_id, version_id, key, channel, target, payload, state, attempts, external_id, error,
    first_attempt_at, last_attempt_at, sent_at, created_at, updated_at, purpose)
select id, user_id, version_id, key, channel, target, payload, state, attempts, external_id, error,
    first_attempt_at, last_attempt_at, sent_at, created_at, updated_at, purpose from outbox;

drop table outbox;
alter table outbox_new rename to outbox;

create index outbox_version on outbox (version_id);
-- What was told is deleted by its age, of all users.
create index outbox_notices on outbox (updated_at) where purpose = 'notice';
