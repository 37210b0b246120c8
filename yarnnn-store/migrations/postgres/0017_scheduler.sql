-- What the clock sets going: slots of schedules that were fired, and slots of the scheduler's own phases that were run.
set local lock_timeout = '2s';

-- What is due is looked for over all users; of one user there are few.
drop index deliverables_due;
create index deliverables_due on deliverables (next_run_at, id) where status = 'active' and next_run_at is not null;

-- One row for each run that a schedule means. It goes with its deliverable, and that with its user.
create table deliverable_slots (
    deliverable_id uuid not null references deliverables (id) on delete cascade,
    -- Local date and time in the schedule's own terms.
    slot text not null,
    user_id uuid not null,
    due_at timestamptz not null,
    fired_at timestamptz not null,
    -- The slot of the tick that fired it; none when a person did.
    cycle timestamptz,
    late boolean not null,
    -- Later slots that had passed too, and that this run stands for.
    missed bigint not null check (missed >= 0),
    job_id uuid not null,
    outcome text check (outcome in ('skipped', 'no_news', 'delivered', 'staged', 'failed')),
    ended_at timestamptz,
    primary key (deliverable_id, slot)
);

create index deliverable_slots_cycle on deliverable_slots (cycle, user_id) where cycle is not null;
create index deliverable_slots_open on deliverable_slots (user_id) where outcome is null or outcome = 'failed';
create index deliverable_slots_lost on deliverable_slots (fired_at, deliverable_id) where outcome is null;
create index deliverable_slots_due on deliverable_slots (deliverable_id, due_at);
create index deliverable_slots_ended on deliverable_slots (ended_at) where ended_at is not null;

-- What the scheduler does besides, slot by slot.
create table scheduler_slots (
    phase text not null,
    slot timestamptz not null,
    -- The tick that ran it last.
    cycle timestamptz not null,
    state text not null check (state in ('running', 'done', 'failed')),
    -- Who runs it. A token is drawn with every claim; every write of the holder carries it.
    holder text not null,
    token uuid not null,
    held_until timestamptz not null,
    late boolean not null,
    -- Slots before this one that nobody ran.
    missed bigint not null check (missed >= 0),
    counters jsonb not null default '{}',
    error text,
    started_at timestamptz not null,
    ended_at timestamptz,
    primary key (phase, slot)
);

create index scheduler_slots_cycle on scheduler_slots (cycle);

-- For whom a tick did something.
create index deliverables_called_for on deliverables (created_at, user_id) where origin = 'signal_emergent';
create index activity_log_cleaned on activity_log (event_ref, user_id) where event_type = 'content_cleanup';

-- Heartbeats may be most lines of the log, and are read apart.
create index activity_log_news on activity_log (user_id, created_at desc, id desc) where event_type <> 'scheduler_heartbeat';
-- Lines of some types are deleted by their age, of all users.
create index activity_log_age on activity_log (event_type, created_at);

-- What has expired is deleted user by user.
drop index platform_content_expiring;
create index platform_content_expiring on platform_content (user_id, expires_at) where retained = false;

alter table deliverable_slots enable row level security;
alter table scheduler_slots enable row level security;
