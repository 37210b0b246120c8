-- Every kind of line that the log may have (dossier §12). A check cannot be changed in place.
create table activity_log_new (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    event_type text not null check (event_type in
        ('platform_synced', 'signal_processed', 'deliverable_scheduled', 'deliverable_run', 'deliverable_generated', 'deliverable_approved',
     'deliverable_rejected', 'memory_written', 'session_summary_written', 'pattern_detected', 'conversation_analyzed',
     'content_cleanup', 'integration_connected', 'integration_disconnected', 'chat_session', 'scheduler_heartbeat')),
    event_ref text,
    summary text not null,
    metadata text not null default '{}',
    created_at text not null,
    unique (user_id, event_type, event_ref)
) strict;

insert into activity_log_new (id, user_id, event_type, event_ref, summary, metadata, created_at)
select id, user_id, event_type, event_ref, summary, metadata, created_at from activity_log;

drop table activity_log;
alter table activity_log_new rename to activity_log;
create index activity_log_newest on activity_log (user_id, created_at desc);
