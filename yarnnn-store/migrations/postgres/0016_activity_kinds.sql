-- Every kind of line that the log may have (dossier §12).
set local lock_timeout = '2s';

alter table activity_log drop constraint activity_log_event_type_check;
alter table activity_log add constraint activity_log_event_type_check check (event_type in
    ('platform_synced', 'signal_processed', 'deliverable_scheduled', 'deliverable_run', 'deliverable_generated', 'deliverable_approved',
     'deliverable_rejected', 'memory_written', 'session_summary_written', 'pattern_detected', 'conversation_analyzed',
     'content_cleanup', 'integration_connected', 'integration_disconnected', 'chat_session', 'scheduler_heartbeat'));
