//! The one table in the words of the other systems, for a job in every state.

use serde_json::{Value, json};

use super::bench::{Bench, NOW, on_bench, text};

/// A job for each state, made by the verbs where they can.
async fn one_in_every_state(bench: &mut Bench) -> Vec<(&'static str, String)> {
    let mut jobs = vec![];
    for (state, end) in [
        ("succeeded", "complete_job('ID', 'w', '{\"pages\": 3}')"),
        ("retrying", "fail_job('ID', 'w', 'it broke')"),
        ("failed", "fail_job('ID', 'w', 'it broke', false)"),
        ("dead", "fail_job('ID', 'w', 'it broke')"),
        ("cancelled", ""),
        ("needs_human", ""),
        ("running", ""),
    ] {
        let tries = if state == "dead" { 1 } else { 4 };
        let (id, _) =
            bench.running(&format!(", p_job_config => '{{\"max_attempts\": {tries}}}', p_idempotency_key => '{state}'")).await;
        if !end.is_empty() {
            assert_eq!(bench.call(&end.replace("ID", &id)).await, true);
        } else if state != "running" {
            let settled =
                format!("update job_queue set status = '{state}', run_token = null, lease_until = null, completed_at = '{NOW}'");
            bench.run(&format!("{settled} where id = '{id}'")).await;
        }
        jobs.push((state, id));
    }
    jobs.push(("queued", bench.enqueue("work", "").await));
    jobs
}

async fn seen(bench: &mut Bench, view: &str, key: &str, id: &str) -> Value {
    bench.row(&format!("select * from {view} where {key} = '{id}'")).await
}

#[tokio::test]
async fn each_system_reads_its_own_words() {
    on_bench(async |bench| {
        for (state, id) in one_in_every_state(bench).await {
            let (exora, delivery, scribe) = match state {
                "queued" => ("pending", "queued", "PENDING"),
                "running" => ("processing", "running", "STARTED"),
                "retrying" => ("pending", "retry", "RETRY"),
                "succeeded" => ("completed", "success", "SUCCESS"),
                "cancelled" => ("cancelled", "dead", "REVOKED"),
                _ => ("failed", "dead", "FAILURE"),
            };
            assert_eq!(bench.job(&id).await["status"], state);
            assert_eq!(seen(bench, "exora_job_queue", "id", &id).await["status"], exora, "{state}");
            assert_eq!(seen(bench, "jobs", "id", &id).await["status"], delivery, "{state}");
            assert_eq!(seen(bench, "task_states", "task_id", &id).await["state"], scribe, "{state}");
        }
    })
    .await;
}

#[tokio::test]
async fn exora_reads_retries_and_dead_letters() {
    on_bench(async |bench| {
        for (state, id) in one_in_every_state(bench).await {
            let row = seen(bench, "exora_job_queue", "id", &id).await;
            let retries = match state {
                "dead" => 0,
                "queued" => 4,
                _ => 3,
            };
            assert_eq!((&row["retry_count"], &row["max_retries"]), (&json!(0), &json!(retries)), "{state}");
            assert_eq!(row["dead_letter_at"].is_null(), state != "dead", "only what was tried in vain is a dead letter: {state}");
            assert_eq!((&row["job_type"], &row["job_payload"]), (&json!("work"), &json!({"n": 1})));
            if state == "succeeded" {
                assert_eq!(row["job_result"], json!({"pages": 3}));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn delivery_reads_failed_tries_and_the_lock() {
    on_bench(async |bench| {
        for (state, id) in one_in_every_state(bench).await {
            let row = seen(bench, "jobs", "id", &id).await;
            match state {
                "queued" | "running" | "succeeded" => assert_eq!(row["attempts"], 0, "{state}"),
                "retrying" | "failed" | "dead" => assert_eq!(row["attempts"], 1, "{state}"),
                _ => {}
            }
            let is_locked = [&row["locked_at"], &row["locked_by"], &row["lock_expires_at"]].map(|it| !it.is_null());
            assert_eq!(is_locked, [state == "running"; 3], "{state}");
            assert_eq!((&row["type"], &row["payload_json"]), (&json!("work"), &json!({"n": 1})));
            if state != "queued" {
                assert_eq!(text(&row["idempotency_key"]), state);
            }
            if ["retrying", "failed", "dead"].contains(&state) {
                assert_eq!(row["last_error"], "it broke");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn scribe_reads_progress_and_forgets_old_results() {
    on_bench(async |bench| {
        let (id, _) = bench.running(", p_job_config => '{\"result_ttl_seconds\": 3600}'").await;
        let progress = json!({"step": "web_scraper", "index": 1, "total": 4, "percent": 25, "timings": []});
        bench.run(&format!("update job_queue set progress = '{progress}' where id = '{id}'")).await;
        let row = seen(bench, "task_states", "task_id", &id).await;
        assert_eq!((&row["current_step"], &row["percent_completed"]), (&json!("web_scraper"), &json!(25)));
        assert_eq!(bench.call(&format!("complete_job('{id}', 'w', '{{\"email_id\": 7}}')")).await, true);
        let row = seen(bench, "task_states", "task_id", &id).await;
        assert_eq!((&row["state"], &row["result"]), (&json!("SUCCESS"), &json!({"email_id": 7})));
        bench.run(&format!("update job_queue set result_expires_at = now() - interval '1 second' where id = '{id}'")).await;
        let row = seen(bench, "task_states", "task_id", &id).await;
        assert_eq!((&row["state"], &row["result"]), (&json!("PENDING"), &json!(null)), "to Scribe, expired looks unknown");
    })
    .await;
}
