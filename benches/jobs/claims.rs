//! The time of a claim with many finished rows beside what waits, and with backlogs that it has to step over.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Executor as _};
use yarnnn::jobs::{Claim, WorkerId};

use super::place::{Place, percentile};

const CLAIMS: usize = 200;
const LEASE: Duration = Duration::from_mins(10);

const FINISHED: &str = "insert into job_queue (id, job_type, job_name, job_payload, status, scheduled_at, correlation_id, completed_at, \
    created_at, updated_at) select gen_random_uuid(), 'noop', 'noop', '{\"number\": 1}', 'succeeded', now(), '', now(), now(), now() \
    from generate_series(1, $)";
const WAITING: &str = "insert into job_queue (id, job_type, job_name, job_payload, scheduled_at, owner_user_id, correlation_id, \
    created_at, updated_at) select gen_random_uuid(), $, '', '{}', $, $, '', now(), now() from generate_series(1, $) as n";

pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    let most: u64 = if std::env::var_os("YARNNN_BENCH_LARGE").is_some() { 5_000_000 } else { 1_000_000 };
    let mut connection = place.connection().await?;
    let mut first = None;
    for rows in [1_000, 100_000, most] {
        place.clear().await?;
        connection.execute(AssertSqlSafe(FINISHED.replacen('$', &rows.to_string(), 1))).await?;
        let time = claims(place).await?;
        let flat = time.as_secs_f64() / first.get_or_insert(time).as_secs_f64();
        println!("claim of one, {rows} finished rows: p50 {time:?}   of that with 1,000 {flat:.2}");
    }
    // What waits beside: kind, when, owner, how many.
    let beside = [
        ("50,000 of a kind that nobody knows", "'unknown'", "now()", "null", 50_000),
        ("50,000 of one owner", "'noop'", "now()", "'00000000-0000-4000-8000-00000000000a'::uuid", 50_000),
        ("10,000 owners with one each", "'noop'", "now()", "gen_random_uuid()", 10_000),
        ("100,000 for later", "'noop'", "now() + interval '1 day'", "gen_random_uuid()", 100_000),
    ];
    for (name, kind, at, owner, count) in beside {
        place.clear().await?;
        let statement =
            [kind, at, owner, &count.to_string()].into_iter().fold(WAITING.to_owned(), |it, value| it.replacen('$', value, 1));
        connection.execute(AssertSqlSafe(statement)).await?;
        println!("claim of one beside {name}: p50 {:?}", claims(place).await?);
    }
    Ok(())
}

async fn claims(place: &Place) -> anyhow::Result<Duration> {
    place.fill(1_000).await?;
    let worker = WorkerId::new("bench");
    let mut times = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let claim = Claim { kinds: Some(vec!["noop".into()]), owner_limit: Some(12), ..Claim::any(worker.clone(), 1, LEASE) };
        let begun = Instant::now();
        place.jobs.queue.claim(claim).await?;
        times.push(begun.elapsed());
    }
    Ok(percentile(&times, 50))
}
