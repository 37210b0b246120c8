-- What people make of reports, which mails tell of a report instead of carrying it, and what events set going.

-- What a person made of a report. `final_content` stays what was delivered.
alter table deliverable_versions add column edited_content text;

-- A notice tells its owner what became of a report. It is none of the messages by which the report arrives.
alter table outbox add column purpose text not null default 'report' check (purpose in ('report', 'notice'));

-- Which mails a user wants (dossier §2.2). No row: all of them.
create table if not exists user_notification_preferences (
    id text primary key,
    user_id text not null unique references users (id) on delete cascade,
    email_deliverable_ready integer not null default 1 check (email_deliverable_ready in (0, 1)),
    email_deliverable_failed integer not null default 1 check (email_deliverable_failed in (0, 1)),
    email_work_complete integer not null default 1 check (email_work_complete in (0, 1)),
    email_weekly_digest integer not null default 1 check (email_weekly_digest in (0, 1)),
    email_suggestion_created integer not null default 1 check (email_suggestion_created in (0, 1)),
    signal_meeting_prep integer not null default 1 check (signal_meeting_prep in (0, 1)),
    signal_silence_alert integer not null default 1 check (signal_silence_alert in (0, 1)),
    signal_contact_drift integer not null default 1 check (signal_contact_drift in (0, 1)),
    signal_last_manual_trigger_at text,
    analyst_cold_start_sent integer not null default 0 check (analyst_cold_start_sent in (0, 1)),
    created_at text not null,
    updated_at text not null
) strict;

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
