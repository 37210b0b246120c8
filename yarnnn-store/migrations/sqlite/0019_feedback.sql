-- What people make of reports, which messages tell of a report instead of carrying it, and what events set going.

-- What a person made of a report. `final_content` stays what was delivered.
alter table deliverable_versions add column edited_content text;

-- A notice tells its owner what became of a report. It is none of the messages by which the report arrives.
alter table outbox add column purpose text not null default 'report' check (purpose in ('report', 'notice'));

-- Every event that a deliverable waits for, once: what became of it, and until when others wait.
create table event_trigger_log (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    deliverable_id text not null references deliverables (id) on delete cascade,
    event_id text not null,
    platform text not null,
    event_type text not null,
    resource_id text,
    event_data text not null default '{}',
    cooldown_key text not null,
    result text not null check (result in ('executed', 'skipped', 'failed')),
    skip_reason text,
    triggered_at text not null,
    unique (deliverable_id, event_id)
) strict;
create index event_trigger_log_cooldown on event_trigger_log (deliverable_id, cooldown_key, triggered_at) where result = 'executed';
create index event_trigger_log_age on event_trigger_log (triggered_at);
