-- Nothing here is for the web roles of a hosted database, which may reach whatever stands in the public schema: every table has
-- row-level security and no policy, so that its owner alone, and roles that pass it by, see rows. A table that a later migration
-- adds has it from there. Tables of others in the same schema are let be.

-- To alter a table is to wait for its readers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

do $$
declare
    v_table text;
    v_role text;
begin
    foreach v_table in array array[
        '_sqlx_migrations', 'users', 'workspaces', 'activity_log', 'platform_connections', 'platform_content', 'sync_registry',
        'deliverables', 'deliverable_versions', 'version_sentences', 'evidence', 'outbox', 'job_queue', 'job_keys', 'job_events',
        'job_workers', 'api_rate_limits', 'api_permits', 'oauth_states', 'content_shadow', 'user_context'
    ] loop
        -- Some have it: no lock is needed for those.
        if exists (select from pg_class where oid = v_table::regclass and not relrowsecurity) then
            execute format('alter table %I enable row level security', v_table);
        end if;
        -- Row-level security does not ask who empties a table.
        foreach v_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = v_role) then
                execute format('revoke truncate, references, trigger on table %I from %I', v_table, v_role);
            end if;
        end loop;
    end loop;
end $$;
