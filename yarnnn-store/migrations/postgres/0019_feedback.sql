-- What people make of reports, which mails tell of a report instead of carrying it, and what events set going.
set local lock_timeout = '2s';

-- What a person made of a report. `final_content` stays what was delivered.
alter table deliverable_versions add column edited_content text;

-- A notice tells its owner what became of a report. It is none of the messages by which the report arrives.
alter table outbox add column purpose text not null default 'report' check (purpose in ('report', 'notice'));

-- Which mails a user wants (dossier §2.2). No row: all of them.
create table if not exists user_notification_preferences (
    id uuid primary key,
    user_id uuid not null unique references users (id) on delete cascade,
    email_deliverable_ready boolean not null default true,
    email_deliverable_failed boolean not null default true,
    email_work_complete boolean not null default true,
    email_weekly_digest boolean not null default true,
    email_suggestion_created boolean not null default true,
    signal_meeting_prep boolean not null default true,
    signal_silence_alert boolean not null default true,
    signal_contact_drift boolean not null default true,
    signal_last_manual_trigger_at timestamptz,
    analyst_cold_start_sent boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
alter table user_notification_preferences enable row level security;

-- Every event that a deliverable waits for, once: what became of it, and until when others wait.
create table event_trigger_log (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    deliverable_id uuid not null references deliverables (id) on delete cascade,
    event_id text not null,
    platform text not null,
    event_type text not null,
    resource_id text,
    event_data jsonb not null default '{}',
    cooldown_key text not null,
    result text not null check (result in ('executed', 'skipped', 'failed')),
    skip_reason text,
    triggered_at timestamptz not null,
    unique (deliverable_id, event_id)
);
create index event_trigger_log_cooldown on event_trigger_log (deliverable_id, cooldown_key, triggered_at) where result = 'executed';
create index event_trigger_log_age on event_trigger_log (triggered_at);
alter table event_trigger_log enable row level security;
