//! Idempotency keys: the same intent twice is one job, another intent under the same key is an error.

use serde_json::{Value, json};

use super::bench::{Bench, NOW, on_bench, text};

async fn keyed(bench: &mut Bench, payload: &Value, further: &str) -> (String, bool) {
    let call =
        format!("select * from enqueue_job_v3('t', 'n', '{payload}', p_idempotency_key => 'k', p_now => '{NOW}'{further})");
    let said = bench.row(&call).await;
    (text(&said["job_id"]), said["is_new"].as_bool().unwrap())
}

async fn conflict(bench: &mut Bench, further: &str) {
    let before = bench.everything().await;
    let call =
        format!("select * from enqueue_job_v3('t', 'n', '{{\"a\": 2}}', p_idempotency_key => 'k', p_now => '{NOW}'{further})");
    let refused = bench.refused(&call).await;
    assert_eq!((refused.code.as_str(), refused.name.as_str()), ("YJ409", "key_conflict"));
    assert_eq!(bench.everything().await, before);
}

#[tokio::test]
async fn the_same_key_is_one_job_and_another_payload_a_conflict() {
    on_bench(async |bench| {
        let payload = json!({"a": 1});
        let (first, is_new) = keyed(bench, &payload, "").await;
        assert!(is_new);
        assert_eq!(keyed(bench, &payload, "").await, (first.clone(), false));
        assert_eq!(keyed(bench, &payload, ", priority => 9").await, (first.clone(), false), "its priority is not what it is");
        conflict(bench, "").await;
        let other_owner = ", p_owner_user_id => '01890000-0000-7000-8000-0000000000aa'";
        assert!(keyed(bench, &payload, other_owner).await.1, "another owner's key is another key");
        let kind = "select is_new from enqueue_job_v3('another type', 'n', '{\"b\": 1}', p_idempotency_key => 'k')";
        assert_eq!(bench.row(kind).await["is_new"], true);
        assert_eq!(bench.rows("select id from job_queue").await.len(), 3);
        assert_eq!(bench.history(&first).await, ["enqueued"]);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_held_while_its_job_has_not_ended() {
    on_bench(async |bench| {
        let payload = json!({"a": 1});
        let (first, _) = keyed(bench, &payload, "").await;
        bench.claim().await;
        assert_eq!(keyed(bench, &payload, "").await, (first.clone(), false), "it runs");
        bench.call(&format!("fail_job('{first}', 'w', 'once', p_now => '{NOW}')")).await;
        assert_eq!(keyed(bench, &payload, "").await, (first.clone(), false), "it waits for another try");
        bench.run("select * from claim_next_job_v3('w', p_now => '2026-03-02T18:00:00Z')").await;
        assert_eq!(bench.call(&format!("complete_job('{first}', 'w')")).await, true);
        let (second, is_new) = keyed(bench, &json!({"a": 2}), "").await;
        assert!(is_new && second != first, "it has ended");
    })
    .await;
}

#[tokio::test]
async fn a_key_can_be_held_for_ever_or_for_a_time() {
    on_bench(async |bench| {
        let payload = json!({"a": 1});
        let (first, _) = keyed(bench, &payload, ", p_key_holds => 'forever'").await;
        bench.claim().await;
        bench.call(&format!("complete_job('{first}', 'w')")).await;
        assert_eq!(keyed(bench, &payload, ", p_key_holds => 'forever'").await, (first, false));
        conflict(bench, ", p_key_holds => 'forever'").await;

        let window = "select * from enqueue_job_v3('w', 'n', '{\"a\": 1}', p_idempotency_key => 'k', p_key_holds => 'window',
            p_key_window_seconds => 60, p_now => ";
        let first = bench.row(&format!("{window} '{NOW}')")).await;
        bench.claim().await;
        bench.call(&format!("complete_job('{}', 'w')", text(&first["job_id"]))).await;
        assert_eq!(bench.row(&format!("{window} '2026-03-02T12:00:59Z')")).await["is_new"], false);
        assert_eq!(bench.row(&format!("{window} '2026-03-02T12:01:01Z')")).await["is_new"], true);
    })
    .await;
}
