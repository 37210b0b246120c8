//! The raw limit: what the database can do with the same rows when nobody runs the jobs.

/// Claims a hundred rows of the product's own table with skip-locked and completes them, in two commits, with the same
/// columns, indexes, history and results as the product writes.
pub(crate) const SAME_TABLE: &str = "\
begin;
with picked as (
    select id from job_queue where status in ('queued', 'retrying') and crashes < 2 and lane = 'default' and job_type = 'noop'
        and priority = 5 and scheduled_at <= clock_timestamp()
    order by scheduled_at, id limit 100 for update skip locked
), taken as (
    update job_queue q set status = 'running', attempt = attempt + 1, worker_id = 'raw', run_token = gen_random_uuid(), lease_seconds = 15,
        lease_until = clock_timestamp() + interval '15 s', heartbeat_at = clock_timestamp(), started_at = clock_timestamp(),
        updated_at = clock_timestamp()
    from picked where q.id = picked.id returning q.id, q.attempt
), told as (
    insert into job_events (job_id, at, event, actor, attempt) select id, clock_timestamp(), 'claimed', 'raw', attempt from taken
)
select coalesce(array_agg(id), '{}')::text as ids from taken \\gset
commit;
begin;
with done as (
    update job_queue set status = 'succeeded', job_result = '\"ok\"', completed_at = clock_timestamp(), updated_at = clock_timestamp(),
        run_token = null, lease_until = null, heartbeat_at = null
    where id = any (:ids::uuid[]) and status = 'running' returning id, attempt
)
insert into job_events (job_id, at, event, actor, attempt) select id, clock_timestamp(), 'succeeded', 'raw', attempt from done;
commit;
";

/// The same on a table of three columns with nothing but a primary key and an index of what waits.
pub(crate) const BARE_TABLE: &str = "\
begin;
with picked as (select id from bare where state = 0 order by id limit 100 for update skip locked)
update bare set state = 1 from picked where bare.id = picked.id;
commit;
begin;
update bare set state = 2 where id in (select id from bare where state = 1 limit 100 for update skip locked);
commit;
";

/// Makes the bare table.
pub(crate) const BARE: &str = "create table if not exists bare (id bigint primary key, state integer not null, payload text); \
    create index if not exists bare_waiting on bare (id) where state = 0; \
    create index if not exists bare_running on bare (id) where state = 1";
