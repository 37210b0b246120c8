//! The wait after a failure is the same whether a worker or SQL works it out.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{AssertSqlSafe, PgConnection};
use yarnnn_core::jobs::{Jitter, JobPolicy, RetryPolicy};

use super::bench::{Bench, migrate};
use super::common::with_postgres;

fn jitter() -> impl Strategy<Value = Jitter> {
    let additive = (0.0..2.0, 0.0..100.0).prop_map(|(fraction, cap_seconds)| Jitter::Additive { fraction, cap_seconds });
    prop_oneof![Just(Jitter::Full), Just(Jitter::None), additive]
}

fn retry() -> impl Strategy<Value = RetryPolicy> {
    let fixed = (prop::collection::vec(0.0..10_000.0, 0..6), jitter())
        .prop_map(|(seconds, jitter)| RetryPolicy::Fixed { seconds, jitter });
    let factor = prop_oneof![Just(1.0), Just(2.0), 0.0..10.0, 1.0..1.1];
    let exponential = (0.0..1e6, factor, 0.0..1e9, 0u32..10, jitter()).prop_map(
        |(base_seconds, factor, cap_seconds, first_exponent, jitter)| RetryPolicy::Exponential {
            base_seconds,
            factor,
            cap_seconds,
            first_exponent,
            jitter,
        },
    );
    prop_oneof![fixed, exponential]
}

async fn in_sql(connection: &mut PgConnection, policy: &JobPolicy, failures: u32, draw: f64) -> f64 {
    let config = serde_json::to_string(policy).unwrap();
    let query = format!("select job_retry_wait('{config}', {failures}, {draw:?})");
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap_or_else(|error| panic!("{config} {failures}: {error}"))
}

/// As good as the nanoseconds and the logarithms allow.
fn assert_close(sql: f64, rust: f64, what: &str) {
    assert!((sql - rust).abs() <= 1e-6 + rust.abs() * 1e-9, "SQL waits {sql}, the library {rust}: {what}");
}

#[test]
fn sql_and_the_library_wait_alike() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(with_postgres(|url| async move {
        migrate(&url).await;
        let mut connection = Bench::open(&url).await.connection;
        for policy in [
            JobPolicy::default(),
            JobPolicy::scribe(),
            JobPolicy::exora(),
            JobPolicy::delivery(),
            JobPolicy::delivery_stage(),
            JobPolicy::work(),
        ] {
            for failures in 1..12 {
                let sql = in_sql(&mut connection, &policy, failures, 0.25).await;
                assert_close(sql, policy.retry.wait(failures, 0.25).as_secs_f64(), &format!("{policy:?} {failures}"));
            }
        }
        let empty: f64 = sqlx::query_scalar("select job_retry_wait('{}', 3, 0.5)").fetch_one(&mut connection).await.unwrap();
        assert_close(empty, RetryPolicy::default().wait(3, 0.5).as_secs_f64(), "no rules");
        // A runner whose cases are awaited on the one connection; what fails is printed whole, so it is not made smaller.
        let mut runner = TestRunner::new(Config::default());
        let failures = prop_oneof![1u32..12, 1u32..2_000];
        let strategy = (retry(), failures, 0.0..=1.0f64);
        for _ in 0..400 {
            let (retry, failures, draw) = strategy.new_tree(&mut runner).unwrap().current();
            let policy = JobPolicy { retry, ..JobPolicy::default() };
            let sql = in_sql(&mut connection, &policy, failures, draw).await;
            assert_close(sql, policy.retry.wait(failures, draw).as_secs_f64(), &format!("{policy:?} {failures} {draw}"));
        }
    }));
}
