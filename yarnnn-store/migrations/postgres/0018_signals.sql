-- Signals: looks at users' content for what deserves a report that nobody asked for, what was acted upon, and what users want to be
-- told. A pass keeps what it shows until it ends; what it was answered is in the ledger until then.

-- New tables that refer to others wait for their writers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

create table signal_passes (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    signals_filter text not null check (signals_filter in ('all', 'calendar_only', 'non_calendar')),
    pass_trigger text not null check (pass_trigger in ('hourly', 'manual')),
    started_at timestamptz not null,
    -- Rows of content and of deliverables, in the order in which the question names them.
    shown jsonb,
    outcome jsonb,
    ended_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index signal_passes_newest on signal_passes (user_id, started_at desc);
-- What is left open is ended, and what ended is deleted, of all users.
create index signal_passes_open on signal_passes (started_at, id) where outcome is null;
create index signal_passes_ended on signal_passes (ended_at) where outcome is not null;

create table signal_history (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    signal_type text not null,
    signal_ref text not null,
    last_triggered_at timestamptz not null,
    deliverable_id uuid references deliverables (id) on delete set null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (user_id, signal_type, signal_ref)
);

create index signal_history_newest on signal_history (user_id, last_triggered_at desc);
create index signal_history_age on signal_history (last_triggered_at);
create index signal_history_deliverable on signal_history (deliverable_id) where deliverable_id is not null;

create table user_notification_preferences (
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

alter table model_calls add column pass_id uuid references signal_passes (id) on delete set null;
create index model_calls_pass on model_calls (pass_id) where pass_id is not null;

alter table signal_passes enable row level security;
alter table signal_history enable row level security;
alter table user_notification_preferences enable row level security;
