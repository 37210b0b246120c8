//! Durable enqueues per second, one at a time and in batches, against inserts of the same rows.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use yarnnn::id::JobId;
use yarnnn::jobs::{Jobs, NewJob};

use super::place::{Place, median};

const SINGLE: usize = 2_000;
const BATCHES: usize = 20;
const BATCH: usize = 1_000;
const ROUNDS: usize = 5;

const ROW: &str = "with job as (insert into job_queue (id, job_type, job_name, job_payload, scheduled_at, correlation_id, created_at, \
    updated_at) values ($1, 'noop', 'noop', $2, clock_timestamp(), $3, clock_timestamp(), clock_timestamp()) returning id) \
    insert into job_events (job_id, at, event, attempt) select id, clock_timestamp(), 'enqueued', 0 from job";
const ROWS: &str = "with job as (insert into job_queue (id, job_type, job_name, job_payload, scheduled_at, correlation_id, created_at, \
    updated_at) select id, 'noop', 'noop', payload, clock_timestamp(), id::text, clock_timestamp(), clock_timestamp() \
    from unnest($1::uuid[], $2::jsonb[]) as n (id, payload) returning id) \
    insert into job_events (job_id, at, event, attempt) select id, clock_timestamp(), 'enqueued', 0 from job";

pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let mut connection = place.connection().await?;
        place.clear().await?;
        times[0].push(single_inserts(&mut connection, &place.jobs).await?);
        place.clear().await?;
        times[1].push(single(&place.jobs).await?);
        place.clear().await?;
        times[2].push(batch_inserts(&mut connection, &place.jobs).await?);
        place.clear().await?;
        times[3].push(batches(&place.jobs).await?);
        connection.close().await?;
    }
    let [raw, one, raw_batch, batch] = times.each_mut().map(|it| median(it));
    say("Postgres, one at a time", rate(SINGLE, one), rate(SINGLE, raw));
    say("Postgres, by the thousand", rate(BATCH * BATCHES, batch), rate(BATCH * BATCHES, raw_batch));
    let folder = tempfile::tempdir()?;
    let sqlite = Place::sqlite(&folder).await?;
    println!("enqueue, SQLite: one at a time {:.0}/s", rate(SINGLE, single(&sqlite).await?));
    println!("enqueue, SQLite: by the thousand {:.0}/s", rate(BATCH * BATCHES, batches(&sqlite).await?));
    Ok(())
}

fn say(what: &str, ours: f64, raw: f64) {
    println!("enqueue, {what}: {ours:.0}/s   of inserts of the same rows ({raw:.0}/s) {:.2}", ours / raw);
}

fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn job(jobs: &Jobs, number: usize) -> NewJob {
    NewJob::new(JobId::fresh(jobs.ids.as_ref()), "noop", json!({ "number": number }))
}

async fn single(jobs: &Jobs) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for number in 0..SINGLE {
        jobs.queue.enqueue(vec![job(jobs, number)]).await?;
    }
    Ok(begun.elapsed())
}

async fn single_inserts(connection: &mut PgConnection, jobs: &Jobs) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for number in 0..SINGLE {
        let id = jobs.ids.uuid();
        let query = sqlx::query(ROW).bind(id).bind(json!({ "number": number })).bind(id.to_string());
        connection.execute(query).await?;
    }
    Ok(begun.elapsed())
}

async fn batches(jobs: &Jobs) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for _ in 0..BATCHES {
        jobs.queue.enqueue((0..BATCH).map(|number| job(jobs, number)).collect()).await?;
    }
    Ok(begun.elapsed())
}

async fn batch_inserts(connection: &mut PgConnection, jobs: &Jobs) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for _ in 0..BATCHES {
        let ids: Vec<_> = (0..BATCH).map(|_| jobs.ids.uuid()).collect();
        let payloads: Vec<_> = (0..BATCH).map(|number| json!({ "number": number })).collect();
        connection.execute(sqlx::query(ROWS).bind(ids).bind(payloads)).await?;
    }
    Ok(begun.elapsed())
}
