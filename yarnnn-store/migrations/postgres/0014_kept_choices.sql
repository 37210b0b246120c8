-- What a person chose of an account that is no longer connected, until it is again. Ids alone: nothing of what stands behind them.
create table kept_choices (
    user_id uuid not null references users (id) on delete cascade,
    provider text not null,
    account_id text not null,
    selected jsonb not null,
    excluded jsonb not null,
    created_at timestamptz not null,
    primary key (user_id, provider, account_id)
);

alter table kept_choices enable row level security;
