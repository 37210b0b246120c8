//! `claim_next_job_v3`: who gets what, in which order, and all that is known about it.

use serde_json::{Value, json};

use super::bench::{NOW, after_now, on_bench, text, texts};

fn claim(arguments: &str) -> String {
    format!("select * from claim_next_job_v3({arguments}, p_now => '{NOW}')")
}

#[tokio::test]
async fn a_claim_answers_the_whole_row_and_the_token() {
    on_bench(async |bench| {
        let id = bench.enqueue("work", ", p_correlation_id => 'c', p_idempotency_key => 'k', priority => 7").await;
        let claimed = bench.row(&claim("'w'")).await;
        let job = bench.job(&id).await;
        let (claimed, job) = (claimed.as_object().unwrap(), job.as_object().unwrap());
        assert_eq!(claimed["job_id"], json!(id));
        assert_eq!(claimed["retry_count"], 0);
        for (column, value) in claimed.iter().filter(|(it, _)| !["job_id", "retry_count"].contains(&it.as_str())) {
            assert_eq!(Some(value), job.get(column), "{column}");
        }
        for column in ["job_payload", "job_config", "run_token", "lease_until", "heartbeat_at", "started_at", "idempotency_key"] {
            assert!(claimed.get(column).is_some_and(|it| !it.is_null()), "{column}");
        }
        assert_eq!((&claimed["status"], &claimed["worker_id"], &claimed["attempt"]), (&json!("running"), &json!("w"), &json!(1)));
        assert!((after_now(&claimed["lease_until"]) - 330.0).abs() < 1e-6, "the lease that a caller from SQL gets");
        assert_eq!(bench.history(&id).await, ["enqueued", "claimed"]);
        assert_eq!(bench.rows(&claim("'v'")).await, Vec::<Value>::new(), "it is taken");
    })
    .await;
}

#[tokio::test]
async fn every_claim_draws_a_new_token_and_counts_the_tries() {
    on_bench(async |bench| {
        let (id, first) = bench.running("").await;
        bench.call(&format!("fail_job('{id}', 'w', 'once', p_now => '{NOW}')")).await;
        let again = bench.row("select * from claim_next_job_v3('w', p_now => '2026-03-02T18:00:00Z')").await;
        assert_eq!((text(&again["job_id"]), &again["retry_count"], &again["attempt"]), (id, &json!(1), &json!(2)));
        assert_ne!(text(&again["run_token"]), first);
        assert_eq!(again["last_error"], "once");
    })
    .await;
}

#[tokio::test]
async fn the_order_is_priority_then_time_then_id() {
    on_bench(async |bench| {
        let at = |minute: u32| format!(", p_scheduled_at => '2026-03-02T11:{minute:02}:00Z', p_now => '2026-03-02T10:00:00Z'");
        let mut wanted = vec![];
        for (kind, priority, minute) in [("e", 1, 1), ("c", 5, 30), ("b", 5, 20), ("a", 10, 59), ("d", 2, 10)] {
            let call =
                format!("select job_id from enqueue_job_v3('{kind}', 'n', '{{\"n\": 1}}', priority => {priority}{})", at(minute));
            wanted.push((kind, text(&bench.row(&call).await["job_id"])));
        }
        wanted.sort_unstable();
        let claimed = bench.rows(&claim("'w', p_limit => 4")).await;
        assert_eq!(texts(&claimed, "job_type"), ["a", "b", "c", "d"]);
        assert_eq!(texts(&bench.rows(&claim("'w', p_limit => 4")).await, "job_type"), ["e"]);

        let batch: Vec<_> = (0..20).map(|n| json!({"type": "same", "payload": {"n": n}})).collect();
        bench.run(&format!("select * from enqueue_jobs_v3('{}', false, '{NOW}')", json!(batch))).await;
        let ids = texts(&bench.rows(&claim("'w', p_limit => 20")).await, "job_id");
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!((ids.len(), ids), (20, sorted), "what is alike goes by id");
    })
    .await;
}

#[tokio::test]
async fn types_and_lanes_are_filters() {
    on_bench(async |bench| {
        for kind in ["a", "b"] {
            for lane in ["light", "heavy"] {
                bench.enqueue(kind, &format!(", p_job_lane => '{lane}'")).await;
            }
        }
        for (arguments, found) in [
            ("'w', array['c']", vec![]),
            ("'w', null, array['middle']", vec![]),
            ("'w', array['a'], array['heavy'], 10", vec![("a", "heavy")]),
            ("'w', array['b'], null, 10", vec![("b", "heavy"), ("b", "light")]),
            ("'w', null, array['light', 'heavy'], 10", vec![("a", "light")]),
        ] {
            let rows = bench.rows(&claim(arguments)).await;
            let mut rows: Vec<_> = rows.iter().map(|it| (text(&it["job_type"]), text(&it["lane"]))).collect();
            rows.sort_unstable();
            let found: Vec<_> = found.into_iter().map(|(kind, lane)| (kind.to_owned(), lane.to_owned())).collect();
            assert_eq!(rows, found, "{arguments}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_claimed_before_its_time() {
    on_bench(async |bench| {
        bench.enqueue("t", ", p_delay_seconds => 60").await;
        assert_eq!(bench.rows(&claim("'w'")).await, Vec::<Value>::new());
        let due = bench.call(&format!("job_next_due(p_now => '{NOW}')")).await;
        assert!((due.as_f64().unwrap() - 60.0).abs() < 1e-6);
        assert_eq!(bench.rows("select * from claim_next_job_v3('w', p_now => '2026-03-02T12:01:00Z')").await.len(), 1);
        assert_eq!(bench.call("job_next_due()").await, json!(null));
    })
    .await;
}

#[tokio::test]
async fn two_sessions_never_wait_for_each_other_nor_get_the_same_job() {
    on_bench(async |bench| {
        let mut wanted = vec![bench.enqueue("t", "").await, bench.enqueue("t", "").await, bench.enqueue("t", "").await];
        let mut other = bench.another().await;
        bench.run("begin").await;
        let mut ids = texts(&bench.rows(&claim("'w', p_limit => 2")).await, "job_id");
        ids.extend(texts(&other.rows(&claim("'v', p_limit => 5")).await, "job_id"));
        bench.run("commit").await;
        ids.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(ids, wanted);
    })
    .await;
}

#[tokio::test]
async fn a_claim_by_nobody_or_for_no_time_is_refused() {
    on_bench(async |bench| {
        bench.enqueue("t", "").await;
        let before = bench.everything().await;
        for (arguments, name) in [
            ("null", "blank_worker"),
            ("' '", "blank_worker"),
            ("'w', p_lease_seconds => 0", "bad_lease"),
            ("'w', p_lease_seconds => -1", "bad_lease"),
            ("'w', p_lease_seconds => null", "bad_lease"),
        ] {
            let refused = bench.refused(&claim(arguments)).await;
            assert_eq!((refused.code.as_str(), refused.name.as_str()), ("YJ400", name), "{arguments}");
        }
        assert_eq!(bench.everything().await, before);
    })
    .await;
}

#[tokio::test]
async fn one_owner_is_held_to_its_limit() {
    on_bench(async |bench| {
        let owner = |n: u32| format!(", p_owner_user_id => '01890000-0000-7000-8000-0000000000{n:02}'");
        for _ in 0..5 {
            bench.enqueue("t", &owner(1)).await;
        }
        bench.enqueue("t", &owner(2)).await;
        let claimed = bench.rows(&claim("'w', p_limit => 10, p_owner_limit => 2")).await;
        let of = |n: &str| texts(&claimed, "owner_user_id").iter().filter(|it| it.ends_with(n)).count();
        assert_eq!((of("01"), of("02")), (2, 1));
        assert!(bench.rows(&claim("'w', p_limit => 10, p_owner_limit => 2")).await.is_empty(), "its two still run");
    })
    .await;
}
