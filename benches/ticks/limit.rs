//! The raw limit: the same rows written by plain statements, without anybody reading, naming or deciding anything.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Connections at once, as the product has.
const CONNECTIONS: usize = 3;

/// Fires a thousand: their next instants, and for each a slot, a line, a job and the job's history.
const FIRE: &str = "with due as (
    select id, user_id, next_run_at, gen_random_uuid() as job from deliverables
    where status = 'active' and next_run_at <= '2026-11-23T09:00:00Z' order by next_run_at, id limit 1000 for update skip locked
), moved as (
    update deliverables as d set next_run_at = d.next_run_at + interval '1 day' from due where d.id = due.id
), slots as (
    insert into deliverable_slots (deliverable_id, slot, user_id, due_at, fired_at, cycle, late, missed, job_id)
    select id, '2026-11-23T09:00', user_id, next_run_at, now(), '2026-11-23T09:00:00Z', false, 0, job from due
), lines as (
    insert into activity_log (id, user_id, event_type, event_ref, summary, metadata, created_at)
    select gen_random_uuid(), user_id, 'deliverable_scheduled', job, 'Report came due at 2026-11-23T09:00',
        jsonb_build_object('deliverable_id', id, 'scheduled_for', next_run_at, 'trigger_reason', 'schedule', 'deliverable_type',
            'status_report', 'late', false, 'missed', 0), now() from due
), jobs as (
    insert into job_queue (id, job_type, job_name, job_payload, job_config, scheduled_at, owner_user_id, correlation_id,
        created_at, updated_at)
    select job, 'deliverable_generate', 'deliverable_generate', jsonb_build_object('user', user_id, 'deliverable', id, 'due_at',
        next_run_at), jsonb_build_object('max_attempts', 3, 'backoff', 30, 'lease_seconds', 15), now(), user_id, job::text,
        now(), now() from due
), told as (
    insert into job_events (job_id, at, event, attempt) select job, now(), 'enqueued', 0 from due
)
select count(*) from due";

/// Fires everything that is due, and answers how long it took.
pub(crate) async fn fire_everything(url: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    try_join_all((0..CONNECTIONS).map(|_| fire(url))).await?;
    Ok(begun.elapsed())
}

async fn fire(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(AssertSqlSafe("set jit = off".to_owned())).await?;
    while sqlx::query_scalar::<_, i64>(FIRE).fetch_one(&mut connection).await? > 0 {}
    Ok(())
}
