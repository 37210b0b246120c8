//! `acquire_api_capacity` and `release_api_capacity`: shared limits that nobody's death can eat up.

use serde_json::json;

use super::bench::{Bench, NOW, on_bench};

async fn limit(bench: &mut Bench, limits: &str) {
    bench
        .run(&format!("update api_rate_limits set {limits} where provider_name = 'openai' and api_endpoint = 'gpt-4o-mini'"))
        .await;
}

fn acquire(worker: &str, tokens: u32, second: u32) -> String {
    let at = format!("'{NOW}'::timestamptz + make_interval(secs => {second})");
    format!("acquire_api_capacity('openai', 'gpt-4o-mini', {tokens}, '{worker}', 60, {at})")
}

async fn release(bench: &mut Bench, worker: &str, tokens: u32, actual: &str) {
    bench.run(&format!("select release_api_capacity('openai', 'gpt-4o-mini', {tokens}, {actual}, '{worker}', '{NOW}')")).await;
}

#[tokio::test]
async fn no_more_at_once_than_allowed() {
    on_bench(async |bench| {
        limit(bench, "concurrent_requests = 2").await;
        for granted in [true, true, false] {
            assert_eq!(bench.call(&acquire("w", 10, 0)).await, granted);
        }
        let hits = "select rate_limit_violations, last_rate_limit_hit from api_rate_limits where api_endpoint = 'gpt-4o-mini'";
        assert_eq!(bench.row(hits).await, json!({"rate_limit_violations": 1, "last_rate_limit_hit": NOW}));
        release(bench, "stranger", 10, "null").await;
        assert_eq!(bench.call(&acquire("w", 10, 0)).await, false, "another worker's release frees nothing");
        release(bench, "w", 10, "null").await;
        assert_eq!(bench.call(&acquire("v", 10, 0)).await, true);
        assert_eq!(bench.call(&acquire("v", 10, 0)).await, false);
        assert_eq!(bench.call(&acquire("v", 10, 61)).await, true, "what is never released ends by itself");
    })
    .await;
}

#[tokio::test]
async fn the_permits_of_a_worker_that_is_gone_end() {
    on_bench(async |bench| {
        limit(bench, "concurrent_requests = 1").await;
        assert_eq!(bench.call(&acquire("w", 10, 0)).await, true);
        assert_eq!(bench.call(&acquire("v", 10, 0)).await, false);
        bench.run(&format!("select * from rescue_jobs(array['w'], '{NOW}')")).await;
        assert_eq!(bench.call(&acquire("v", 10, 0)).await, true);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_corrected_to_what_was_used() {
    on_bench(async |bench| {
        limit(bench, "tokens_per_minute = 1000").await;
        assert_eq!(bench.call(&acquire("w", 800, 0)).await, true);
        assert_eq!(bench.call(&acquire("w", 300, 0)).await, false);
        release(bench, "w", 800, "100").await;
        assert_eq!(bench.call(&acquire("w", 900, 0)).await, true, "100 were used");
        assert_eq!(bench.call(&acquire("w", 1, 0)).await, false);
        assert_eq!(bench.call(&acquire("w", 1000, 61)).await, true, "a minute later");
    })
    .await;
}

#[tokio::test]
async fn no_minute_holds_more_requests_than_allowed() {
    on_bench(async |bench| {
        limit(bench, "requests_per_minute = 3").await;
        for (second, granted) in
            [(0, true), (30, true), (59, true), (59, false), (60, true), (61, false), (89, false), (90, true)]
        {
            assert_eq!(bench.call(&acquire("w", 1, second)).await, granted, "second {second}");
            bench.run("update api_permits set released_at = acquired_at where released_at is null").await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_nobody_knows_is_an_error() {
    on_bench(async |bench| {
        let refused = bench.refused("select acquire_api_capacity('openai', 'gpt-99')").await;
        assert_eq!((refused.code.as_str(), refused.name.as_str()), ("YJ404", "unknown_endpoint"));
        bench.run("select release_api_capacity('openai', 'gpt-99')").await;
    })
    .await;
}

#[tokio::test]
async fn what_can_never_be_granted_says_so() {
    on_bench(async |bench| {
        limit(bench, "tokens_per_minute = 1000").await;
        let permit =
            "select permit_id, impossible is not null as never from acquire_api_permit('openai', 'gpt-4o-mini', 1001, 'w')";
        assert_eq!(bench.row(permit).await, json!({"permit_id": null, "never": true}));
        assert_eq!(bench.call(&acquire("w", 1001, 0)).await, false);
        limit(bench, "status = 'maintenance'").await;
        assert_eq!(bench.call(&acquire("w", 1, 0)).await, false);
    })
    .await;
}

#[tokio::test]
async fn each_session_without_a_name_has_its_own_permits() {
    on_bench(async |bench| {
        let mut other = bench.another().await;
        limit(bench, "concurrent_requests = 1").await;
        assert_eq!(bench.call("acquire_api_capacity('openai', 'gpt-4o-mini')").await, true);
        other.run("select release_api_capacity('openai', 'gpt-4o-mini')").await;
        assert_eq!(other.call("acquire_api_capacity('openai', 'gpt-4o-mini')").await, false);
        bench.run("select release_api_capacity('openai', 'gpt-4o-mini', 1000, 5)").await;
        assert_eq!(other.call("acquire_api_capacity('openai', 'gpt-4o-mini')").await, true);
    })
    .await;
}
