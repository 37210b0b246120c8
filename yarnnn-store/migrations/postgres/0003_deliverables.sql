-- Standing report configurations, their versions, and what stands behind each sentence.
create table deliverables (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    title text not null,
    description text,
    deliverable_type text not null default 'custom',
    type_config jsonb not null default '{}',
    type_classification jsonb not null default '{}',
    origin text not null default 'user_configured'
        check (origin in ('user_configured', 'analyst_suggested', 'signal_emergent')),
    trigger_type text not null default 'schedule' check (trigger_type in ('schedule', 'event', 'manual')),
    schedule jsonb,
    trigger_config jsonb,
    last_triggered_at timestamptz,
    sources jsonb not null default '[]',
    destination jsonb not null,
    recipient_context jsonb not null default '{}',
    status text not null default 'active' check (status in ('active', 'paused', 'archived')),
    next_run_at timestamptz,
    last_run_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index deliverables_user on deliverables (user_id, created_at);
create index deliverables_due on deliverables (user_id, next_run_at) where status = 'active';

create table deliverable_versions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    deliverable_id uuid not null references deliverables (id) on delete cascade,
    version_number bigint not null check (version_number > 0),
    status text not null check (status in
        ('generating', 'delivered', 'failed', 'suggested', 'staged', 'reviewing', 'approved', 'rejected')),
    draft_content text,
    final_content text,
    edit_diff jsonb,
    edit_categories jsonb,
    edit_distance_score double precision,
    feedback_notes text,
    source_snapshots jsonb not null default '[]',
    analyst_metadata jsonb,
    delivery_status text not null default 'pending'
        check (delivery_status in ('pending', 'delivering', 'delivered', 'failed', 'partial')),
    delivery_external_id text,
    delivery_external_url text,
    delivery_error text,
    staged_at timestamptz,
    approved_at timestamptz,
    delivered_at timestamptz,
    -- How far the run has come, what it has decided, and which process is at work on it.
    run_step text not null check (run_step in ('gathered', 'written', 'verified', 'queued', 'finished')),
    run_key text,
    run_state jsonb not null,
    held_by text,
    held_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (deliverable_id, version_number),
    unique (deliverable_id, run_key)
);

create index deliverable_versions_user on deliverable_versions (user_id);

create table version_sentences (
    version_id uuid not null references deliverable_versions (id) on delete cascade,
    sentence_index bigint not null,
    sentence_text text not null,
    is_inference boolean not null,
    created_at timestamptz not null,
    primary key (version_id, sentence_index)
);

-- No foreign key to content: evidence outlives the row it points at.
create table evidence (
    version_id uuid not null,
    sentence_index bigint not null,
    position bigint not null,
    content_id uuid not null,
    revision text not null,
    start_byte bigint not null,
    end_byte bigint not null,
    quote text not null,
    created_at timestamptz not null,
    primary key (version_id, sentence_index, position),
    foreign key (version_id, sentence_index) references version_sentences (version_id, sentence_index) on delete cascade
);

create index evidence_content on evidence (content_id);
