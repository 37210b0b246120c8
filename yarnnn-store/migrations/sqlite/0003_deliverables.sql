-- Standing report configurations, their versions, and what stands behind each sentence.
create table deliverables (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    title text not null,
    description text,
    deliverable_type text not null default 'custom',
    type_config text not null default '{}',
    type_classification text not null default '{}',
    origin text not null default 'user_configured'
        check (origin in ('user_configured', 'analyst_suggested', 'signal_emergent')),
    trigger_type text not null default 'schedule' check (trigger_type in ('schedule', 'event', 'manual')),
    schedule text,
    trigger_config text,
    last_triggered_at text,
    sources text not null default '[]',
    destination text not null,
    recipient_context text not null default '{}',
    status text not null default 'active' check (status in ('active', 'paused', 'archived')),
    next_run_at text,
    last_run_at text,
    created_at text not null,
    updated_at text not null
) strict;

create index deliverables_user on deliverables (user_id, created_at);
create index deliverables_due on deliverables (user_id, next_run_at) where status = 'active';

create table deliverable_versions (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    deliverable_id text not null references deliverables (id) on delete cascade,
    version_number integer not null check (version_number > 0),
    status text not null check (status in
        ('generating', 'delivered', 'failed', 'suggested', 'staged', 'reviewing', 'approved', 'rejected')),
    draft_content text,
    final_content text,
    edit_diff text,
    edit_categories text,
    edit_distance_score real,
    feedback_notes text,
    source_snapshots text not null default '[]',
    analyst_metadata text,
    delivery_status text not null default 'pending'
        check (delivery_status in ('pending', 'delivering', 'delivered', 'failed', 'partial')),
    delivery_external_id text,
    delivery_external_url text,
    delivery_error text,
    staged_at text,
    approved_at text,
    delivered_at text,
    -- How far the run has come, what it has decided, and which process is at work on it.
    run_step text not null check (run_step in ('gathered', 'written', 'verified', 'queued', 'finished')),
    run_key text,
    run_state text not null,
    held_by text,
    held_until text,
    created_at text not null,
    updated_at text not null,
    unique (deliverable_id, version_number),
    unique (deliverable_id, run_key)
) strict;

create index deliverable_versions_user on deliverable_versions (user_id);

create table version_sentences (
    version_id text not null references deliverable_versions (id) on delete cascade,
    sentence_index integer not null,
    sentence_text text not null,
    is_inference integer not null check (is_inference in (0, 1)),
    created_at text not null,
    primary key (version_id, sentence_index)
) strict;

-- No foreign key to content: evidence outlives the row it points at.
create table evidence (
    version_id text not null,
    sentence_index integer not null,
    position integer not null,
    content_id text not null,
    revision text not null,
    start_byte integer not null,
    end_byte integer not null,
    quote text not null,
    created_at text not null,
    primary key (version_id, sentence_index, position),
    foreign key (version_id, sentence_index) references version_sentences (version_id, sentence_index) on delete cascade
) strict;

create index evidence_content on evidence (content_id);
