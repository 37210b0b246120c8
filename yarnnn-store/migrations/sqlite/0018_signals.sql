-- Signals: looks at users' content for what deserves a report that nobody asked for, what was acted upon, and what users want to be
-- told. A pass keeps what it shows until it ends; what it was answered is in the ledger until then.

create table signal_passes (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    signals_filter text not null check (signals_filter in ('all', 'calendar_only', 'non_calendar')),
    pass_trigger text not null check (pass_trigger in ('hourly', 'manual')),
    started_at text not null,
    -- Rows of content and of deliverables, in the order in which the question names them.
    shown text,
    outcome text,
    ended_at text,
    created_at text not null,
    updated_at text not null
) strict;

create index signal_passes_newest on signal_passes (user_id, started_at desc);
-- What is left open is ended, and what ended is deleted, of all users.
create index signal_passes_open on signal_passes (started_at, id) where outcome is null;
create index signal_passes_ended on signal_passes (ended_at) where outcome is not null;

create table signal_history (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    signal_type text not null,
    signal_ref text not null,
    last_triggered_at text not null,
    deliverable_id text references deliverables (id) on delete set null,
    metadata text not null default '{}',
    created_at text not null,
    updated_at text not null,
    unique (user_id, signal_type, signal_ref)
) strict;

create index signal_history_newest on signal_history (user_id, last_triggered_at desc);
create index signal_history_age on signal_history (last_triggered_at);
create index signal_history_deliverable on signal_history (deliverable_id) where deliverable_id is not null;

create table user_notification_preferences (
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

alter table model_calls add column pass_id text references signal_passes (id) on delete set null;
create index model_calls_pass on model_calls (pass_id) where pass_id is not null;
