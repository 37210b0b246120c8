-- Users and what their workspace pays for.
create table users (
    id uuid primary key,
    email text not null,
    -- The address as it is compared: addresses differ only by more than case.
    email_lower text not null unique,
    display_name text,
    generation_count integer not null default 0,
    template_count integer not null default 0,
    onboarded boolean not null default false,
    email_template text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table workspaces (
    id uuid primary key,
    name text not null,
    owner_id uuid not null references users (id) on delete cascade,
    owner_email text not null,
    subscription_status text not null default 'free',
    subscription_expires_at timestamptz,
    lemonsqueezy_customer_id text,
    lemonsqueezy_subscription_id text,
    digest_enabled boolean not null default false,
    digest_day integer not null default 1 check (digest_day between 0 and 6),
    digest_hour integer not null default 9 check (digest_hour between 0 and 23),
    digest_timezone text not null default 'UTC',
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index workspaces_owner on workspaces (owner_id);

create table activity_log (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    event_type text not null check (event_type in ('platform_synced', 'deliverable_run')),
    event_ref uuid,
    summary text not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    unique (user_id, event_type, event_ref)
);

create index activity_log_newest on activity_log (user_id, created_at desc);

-- The user that every installation has.
insert into users (id, email, email_lower, created_at, updated_at)
values ('00000000-0000-4000-8000-000000000001', 'local@localhost', 'local@localhost',
        '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z');

insert into workspaces (id, name, owner_id, owner_email, subscription_status, created_at, updated_at)
values ('00000000-0000-4000-8000-000000000002', 'local', '00000000-0000-4000-8000-000000000001', 'local@localhost', 'pro',
        '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z');
