-- The ledger of model calls: what was reserved before a call, what it used and cost after. For the calls of versions it keeps
-- question and answer, so that a run that goes on is not charged twice and can be repeated offline.

-- A new table that refers to others waits for their writers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

create table model_calls (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    deliverable_id uuid references deliverables (id) on delete set null,
    version_id uuid references deliverable_versions (id) on delete set null,
    purpose text not null,
    model text not null,
    state text not null check (state in ('reserved', 'answered', 'refused', 'lost')),
    -- Money is in millionths of a US dollar. What counts as spent is the cost, or the ceiling while there is none.
    ceiling_micro_usd bigint not null check (ceiling_micro_usd >= 0),
    spent_micro_usd bigint not null check (spent_micro_usd >= 0),
    calls bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    searches bigint not null default 0,
    request_sha256 text not null,
    error text,
    reserved_at timestamptz not null,
    ended_at timestamptz,
    -- JSON as it was written, letter for letter: a question is known again by the digest of what was said before it. Long, so
    -- last.
    request text,
    response text
);

-- Caps are sums over a day: read from the index alone.
create index model_calls_day on model_calls (reserved_at, spent_micro_usd);
create index model_calls_user_day on model_calls (user_id, reserved_at, spent_micro_usd);
create index model_calls_version on model_calls (version_id, request_sha256) where version_id is not null;
create index model_calls_deliverable on model_calls (deliverable_id) where deliverable_id is not null;

alter table model_calls enable row level security;
