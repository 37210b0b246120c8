//! `rescue_jobs`: what dead and silent workers held is taken back, counted as a crash and not as a try.

use serde_json::{Value, json};

use super::bench::{NOW, after_now, on_bench, text, texts};

#[tokio::test]
async fn a_lease_that_ended_is_taken_back_and_one_that_holds_is_not() {
    on_bench(async |bench| {
        let (id, _) = bench.running("").await;
        let rescue =
            |second: u32| format!("select * from rescue_jobs(p_now => '{NOW}'::timestamptz + make_interval(secs => {second}))");
        let before = bench.everything().await;
        assert!(bench.rows(&rescue(329)).await.is_empty());
        assert_eq!(bench.everything().await, before);
        let rescued = bench.row(&rescue(330)).await;
        assert_eq!(rescued, json!({"job_id": id, "worker_id": "w", "crashes": 1, "status": "retrying"}));
        let job = bench.job(&id).await;
        assert_eq!((&job["attempt"], &job["crashes"], &job["run_token"]), (&json!(0), &json!(1), &json!(null)));
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed", "rescued"]);
        assert!(bench.rows(&rescue(1000)).await.is_empty(), "once");
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_is_gone_loses_its_jobs_at_once() {
    on_bench(async |bench| {
        bench.enqueue("t", "").await;
        bench.enqueue("t", "").await;
        let gone = bench.claim().await;
        let lives = bench.row(&format!("select * from claim_next_job_v3('lives', p_now => '{NOW}')")).await;
        let rescued = bench.rows(&format!("select * from rescue_jobs(array['w'], '{NOW}')")).await;
        assert_eq!(texts(&rescued, "job_id"), [text(&gone["job_id"])]);
        assert_eq!(bench.job(&text(&lives["job_id"])).await["status"], "running");
        let again = bench.row(&format!("select * from claim_next_job_v3('v', p_now => '{NOW}')")).await;
        assert_eq!(again["job_id"], gone["job_id"], "without a wait");
    })
    .await;
}

#[tokio::test]
async fn who_crashes_twice_runs_alone_and_then_dies_of_it() {
    on_bench(async |bench| {
        let id = bench.enqueue("t", "").await;
        let claim = "select * from claim_next_job_v3('w', p_now => '2126-01-01'";
        for (crashes, alone, wait, status) in [
            (1, false, 0.0, "retrying"),
            (2, false, 1.0, "retrying"),
            (3, true, 5.0, "retrying"),
            (4, true, 15.0, "retrying"),
            (5, true, 0.0, "dead"),
        ] {
            if alone {
                assert_eq!(bench.rows(&format!("{claim}, p_limit => 10)")).await, Vec::<Value>::new(), "only alone");
            }
            assert_eq!(bench.rows(&format!("{claim}, p_limit => 10, p_alone => {alone})")).await.len(), 1);
            bench.run(&format!("select * from rescue_jobs(array['w'], '{NOW}')")).await;
            let job = bench.job(&id).await;
            assert_eq!((&job["crashes"], &job["status"], &job["attempt"]), (&json!(crashes), &json!(status), &json!(0)));
            if status == "retrying" {
                assert!((after_now(&job["scheduled_at"]) - wait).abs() < 1e-6, "{crashes}: {job:#}");
            } else {
                assert_eq!((&job["cause"], &job["dead_letter_at"]), (&json!("crash"), &json!(NOW)));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_job_that_was_to_be_cancelled_is_not_tried_again() {
    on_bench(async |bench| {
        let (id, _) = bench.running("").await;
        bench.run(&format!("update job_queue set cancel_requested = true where id = '{id}'")).await;
        bench.run(&format!("select * from rescue_jobs(array['w'], '{NOW}')")).await;
        assert_eq!(bench.job(&id).await["status"], "cancelled");
    })
    .await;
}
