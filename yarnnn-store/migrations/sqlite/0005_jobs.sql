-- Background jobs: the one table that everything in the background goes through. Column names are those of the Exora brief
-- where it has one; `status` is in our own words, and views give the other systems theirs.
create table job_queue (
    id text primary key,
    -- Which code runs it. Any name: a kind that no worker knows waits for one that does.
    job_type text not null check (job_type <> ''),
    job_name text not null,
    job_category text not null default 'standard',
    -- Which workers take it; `job_lane` repeats it for Exora's types, which have lanes of their own.
    lane text not null default 'default',
    job_lane text,
    -- 1 to 10; higher is sooner.
    priority integer not null default 5 check (priority between 1 and 10),
    -- Without a foreign key: jobs are made far more often than users are deleted.
    owner_user_id text,
    job_payload text not null,
    -- The rules of its kind: tries, waits, limits.
    job_config text not null default '{}',
    status text not null default 'queued' check (status in
        ('queued', 'running', 'retrying', 'succeeded', 'failed', 'dead', 'cancelled', 'needs_human')),
    scheduled_at text not null,
    -- Tries that were charged; a claim adds one, and what must not be charged gives it back.
    attempt integer not null default 0 check (attempt >= 0),
    crashes integer not null default 0 check (crashes >= 0),
    reschedules integer not null default 0,
    -- The holder of a running job. A token is drawn with every claim; every write of the holder carries it.
    worker_id text,
    run_token text,
    lease_seconds real,
    lease_until text,
    heartbeat_at text,
    cancel_requested integer not null default 0,
    idempotency_key text,
    correlation_id text not null,
    parent_id text,
    progress text,
    job_result text,
    -- After this instant the result reads as expired.
    result_expires_at text,
    last_error text,
    -- Why it is dead (attempts, crash, reschedules), or whom it waits for (user, operator).
    cause text,
    started_at text,
    completed_at text,
    dead_letter_at text,
    created_at text not null,
    updated_at text not null,
    check (status <> 'running' or (worker_id is not null and run_token is not null and lease_until is not null))
) strict;

-- What may be claimed, by what claims filter: a claim steps from group to group (lane, kind, priority) and reads each in the
-- order of claiming, so that nothing that it passes over costs it anything.
create index job_queue_ready on job_queue (lane, job_type, priority, scheduled_at, id)
    where status in ('queued', 'retrying') and crashes < 2;
-- The same by owner, so that one owner's backlog can be stepped over.
create index job_queue_ready_by_owner
    on job_queue (lane, job_type, priority, coalesce(owner_user_id, ''), scheduled_at, id)
    where status in ('queued', 'retrying') and crashes < 2;
create index job_queue_quarantine on job_queue (scheduled_at, id) where status in ('queued', 'retrying') and crashes >= 2;
-- Leases are in no index, so that a beat rewrites no index.
create index job_queue_running on job_queue (worker_id) where status = 'running';
create index job_queue_ended on job_queue (completed_at)
    where status in ('succeeded', 'failed', 'dead', 'cancelled', 'needs_human');
create index job_queue_unwell on job_queue (status, job_type) where status in ('failed', 'dead', 'needs_human');
create index job_queue_expiry on job_queue (result_expires_at) where result_expires_at is not null;

-- Idempotency keys outlive their jobs.
create table job_keys (
    -- Kind and owner.
    scope text not null,
    key text not null,
    job_id text not null,
    payload_hash text not null,
    holds text not null check (holds in ('active', 'forever', 'window')),
    held_until text,
    primary key (scope, key)
) strict;

create index job_keys_windows on job_keys (held_until) where holds = 'window';

-- One line per change of state, written with it.
create table job_events (
    seq integer primary key,
    job_id text not null,
    at text not null,
    event text not null,
    actor text,
    attempt integer not null,
    reason text
) strict;

create index job_events_job on job_events (job_id, seq);

-- Workers that live: written by workers only.
create table job_workers (
    worker_id text primary key,
    name text not null,
    process text not null,
    version text not null,
    concurrency integer not null,
    running integer not null,
    draining integer not null,
    started_at text not null,
    last_claim_at text,
    beat_at text not null
) strict;
