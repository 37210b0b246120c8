//! `update_job_heartbeat`, `complete_job`, `fail_job` and `reschedule_job`: how a run is kept and how it ends.

use serde_json::{Value, json};

use super::bench::{Bench, NOW, after_now, on_bench, text};

/// Whether the holder's data is gone.
fn assert_released(job: &Value) {
    for column in ["run_token", "lease_until", "heartbeat_at"] {
        assert_eq!(job[column], json!(null), "{column}");
    }
}

#[tokio::test]
async fn a_beat_keeps_the_lease_by_the_length_that_was_claimed() {
    on_bench(async |bench| {
        bench.enqueue("t", "").await;
        let claimed = bench.row(&format!("select * from claim_next_job_v3('w', p_lease_seconds => 20, p_now => '{NOW}')")).await;
        let (id, token) = (text(&claimed["job_id"]), text(&claimed["run_token"]));
        for (arguments, until) in [("", 30.0), (", p_run_token => token", 40.0)] {
            let arguments = arguments.replace("token => token", &format!("token => '{token}'"));
            let at = format!("'{NOW}'::timestamptz + make_interval(secs => {until} - 20)");
            assert_eq!(bench.call(&format!("update_job_heartbeat('{id}', 'w'{arguments}, p_now => {at})")).await, true);
            let job = bench.job(&id).await;
            assert!((after_now(&job["lease_until"]) - until).abs() < 1e-6);
            assert!((after_now(&job["heartbeat_at"]) - until + 20.0).abs() < 1e-6);
        }
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed"], "a beat is no change of state");
    })
    .await;
}

#[tokio::test]
async fn a_job_is_completed_once() {
    on_bench(async |bench| {
        let (id, token) = bench.running(", p_job_config => '{\"result_ttl_seconds\": 3600}'").await;
        let complete = format!("complete_job('{id}', 'w', '{{\"pages\": 3}}', '{token}', '{NOW}')");
        assert_eq!(bench.call(&complete).await, true);
        let done = bench.everything().await;
        let job = bench.job(&id).await;
        assert_eq!(
            (&job["status"], &job["job_result"], &job["completed_at"]),
            (&json!("succeeded"), &json!({"pages": 3}), &json!(NOW))
        );
        assert!((after_now(&job["result_expires_at"]) - 3600.0).abs() < 1e-6);
        assert_released(&job);
        assert_eq!(bench.call(&complete).await, false);
        assert_eq!(bench.everything().await, done);
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed", "succeeded"]);
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_tried_again_and_then_the_job_is_dead() {
    on_bench(async |bench| {
        let config = json!({"max_attempts": 3, "retry": {"fixed": {"seconds": [7.0, 11.0], "jitter": "none"}}});
        let id = bench.enqueue("t", &format!(", p_job_config => '{config}'")).await;
        for (attempt, status, wait) in [(1, "retrying", 7.0), (2, "retrying", 11.0), (3, "dead", 0.0)] {
            let claimed = bench.row("select * from claim_next_job_v3('w', p_now => now() + interval '100 years')").await;
            assert_eq!((&claimed["attempt"], &claimed["retry_count"]), (&json!(attempt), &json!(attempt - 1)));
            assert_eq!(bench.call(&format!("fail_job('{id}', 'w', 'it broke', p_now => '{NOW}')")).await, true);
            let job = bench.job(&id).await;
            assert_eq!(
                (&job["status"], &job["last_error"], &job["attempt"]),
                (&json!(status), &json!("it broke"), &json!(attempt))
            );
            assert_released(&job);
            if status == "retrying" {
                assert!((after_now(&job["scheduled_at"]) - wait).abs() < 1e-6, "{job:#}");
            } else {
                assert_eq!(
                    (&job["cause"], &job["dead_letter_at"], &job["completed_at"]),
                    (&json!("attempts"), &json!(NOW), &json!(NOW))
                );
            }
        }
        assert!(bench.rows("select * from claim_next_job_v3('w', p_now => now() + interval '200 years')").await.is_empty());
        let history = ["enqueued", "claimed", "retrying", "claimed", "retrying", "claimed", "dead"];
        assert_eq!(bench.history(&id).await, history);
    })
    .await;
}

#[tokio::test]
async fn without_rules_there_are_five_tries() {
    on_bench(async |bench| {
        let id = bench.enqueue("t", "").await;
        let mut tries = 0;
        while bench.rows("select * from claim_next_job_v3('w', p_now => now() + interval '100 years')").await.len() == 1 {
            tries += 1;
            bench.call(&format!("fail_job('{id}', 'w', 'it broke')")).await;
        }
        assert_eq!((tries, &bench.job(&id).await["status"]), (5, &json!("dead")));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_retryable_has_failed_for_good() {
    on_bench(async |bench| {
        let (id, token) = bench.running("").await;
        assert_eq!(bench.call(&format!("fail_job('{id}', 'w', 'no such file', false, '{token}', '{NOW}')")).await, true);
        let job = bench.job(&id).await;
        assert_eq!(
            (&job["status"], &job["last_error"], &job["dead_letter_at"]),
            (&json!("failed"), &json!("no such file"), &json!(null))
        );
        assert_released(&job);
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed", "failed"]);
        assert_eq!(bench.call(&format!("fail_job('{id}', 'w', 'again', false)")).await, false);
    })
    .await;
}

async fn put_off(bench: &mut Bench, id: &str, arguments: &str) -> Value {
    bench.call(&format!("reschedule_job('{id}', {arguments}, p_now => '{NOW}')")).await
}

#[tokio::test]
async fn putting_off_charges_nothing() {
    on_bench(async |bench| {
        let (id, token) = bench.running("").await;
        assert_eq!(put_off(bench, &id, &format!("30, 'rate limited', false, 'w', '{token}'")).await, true);
        let job = bench.job(&id).await;
        let stands = (&job["status"], &job["attempt"], &job["reschedules"], &job["last_error"]);
        assert_eq!(stands, (&json!("queued"), &json!(0), &json!(1), &json!("rate limited")));
        assert!((after_now(&job["scheduled_at"]) - 30.0).abs() < 1e-6);
        assert_released(&job);
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed", "queued"]);
    })
    .await;
}

#[tokio::test]
async fn putting_off_is_bounded() {
    on_bench(async |bench| {
        let (id, _) = bench.running(", p_job_config => '{\"max_reschedules\": 2}'").await;
        for status in ["queued", "queued", "dead"] {
            assert_eq!(put_off(bench, &id, "0, 'busy', false, 'w'").await, true);
            assert_eq!(bench.job(&id).await["status"], status);
            bench.run(&format!("select * from claim_next_job_v3('w', p_now => '{NOW}')")).await;
        }
        let job = bench.job(&id).await;
        assert_eq!((&job["cause"], &job["dead_letter_at"]), (&json!("reschedules"), &json!(NOW)));
    })
    .await;
}

#[tokio::test]
async fn jitter_adds_up_to_half_the_delay_and_at_most_thirty_seconds() {
    on_bench(async |bench| {
        for (delay, most) in [(10, 5.0), (600, 30.0)] {
            let id = bench.enqueue("t", "").await;
            let mut waits = vec![];
            for _ in 0..60 {
                assert_eq!(put_off(bench, &id, &format!("{delay}, 'busy'")).await, true);
                waits.push(after_now(&bench.job(&id).await["scheduled_at"]) - f64::from(delay));
            }
            assert!(waits.iter().all(|it| (0.0..=most).contains(it)), "{waits:?}");
            let widest = waits.iter().copied().fold(0.0, f64::max);
            assert!(widest > most * 0.6, "sixty draws all below two thirds of the way: {widest} of {most}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_delay_before_now_is_refused() {
    on_bench(async |bench| {
        let (id, _) = bench.running("").await;
        let before = bench.everything().await;
        for delay in ["-1", "null"] {
            let refused = bench.refused(&format!("select reschedule_job('{id}', {delay}, 'why', true, 'w')")).await;
            assert_eq!((refused.code.as_str(), refused.name.as_str()), ("YJ400", "negative_delay"));
        }
        assert_eq!(bench.everything().await, before);
    })
    .await;
}

#[tokio::test]
async fn errors_are_cut() {
    on_bench(async |bench| {
        let (id, _) = bench.running("").await;
        bench.call(&format!("fail_job('{id}', 'w', repeat('x', 5000))")).await;
        assert_eq!(text(&bench.job(&id).await["last_error"]).len(), 2000);
    })
    .await;
}
