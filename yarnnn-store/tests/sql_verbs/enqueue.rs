//! `enqueue_job_v3`: what is taken, what is refused and by which name, what starts later.

use serde_json::json;
use yarnnn_core::jobs::payload;

use super::bench::{Bench, NOW, Refused, after_now, on_bench, text};

#[tokio::test]
async fn the_statements_of_the_brief_work_as_written() {
    on_bench(async |bench| {
        let enqueue = "select * from enqueue_job_v3('shell_file_processing', 'Scan',
            '{\"shell_file_id\": \"f1\", \"job_lane\": \"fast_queue\"}'::jsonb, 'high_priority', 7, now())";
        let enqueued = bench.row(enqueue).await;
        let id = text(&enqueued["job_id"]);
        assert_eq!(enqueued["scheduled_at"], bench.job(&id).await["scheduled_at"]);
        let claim = "select * from claim_next_job_v3('worker-1', array['shell_file_processing'], array['fast_queue'])";
        let claimed = bench.row(claim).await;
        assert_eq!((&claimed["job_id"], &claimed["job_type"]), (&json!(id), &json!("shell_file_processing")));
        assert_eq!((&claimed["job_payload"]["shell_file_id"], &claimed["retry_count"]), (&json!("f1"), &json!(0)));
        assert_eq!(bench.call(&format!("update_job_heartbeat('{id}', 'worker-1')")).await, true);
        assert_eq!(bench.call(&format!("reschedule_job('{id}', 30, 'rate limited', true)")).await, false, "by nobody");
        assert_eq!(bench.call(&format!("complete_job('{id}', 'worker-1', '{{\"ok\": true}}')")).await, true);
        assert_eq!(bench.call(&format!("complete_job('{id}', 'worker-1', '{{\"ok\": false}}')")).await, false, "twice");
        assert_eq!(bench.job(&id).await["job_result"], json!({"ok": true}));
        assert_eq!(bench.call("acquire_api_capacity('openai', 'gpt-4o-mini', 1000)").await, true);
        bench.run("select release_api_capacity('openai', 'gpt-4o-mini', 1000, 812)").await;
        let waiting = text(&bench.row("select * from enqueue_job_v3('t', 't', '{\"a\": 1}')").await["job_id"]);
        assert_eq!(bench.call(&format!("reschedule_job('{waiting}', 30, 'later')")).await, true, "it waits");
    })
    .await;
}

#[tokio::test]
async fn parameters_have_the_names_of_the_brief() {
    on_bench(async |bench| {
        let enqueue =
            "select * from enqueue_job_v3(job_type => 'audit_cleanup', job_name => 'Clean', job_payload => '{\"a\": 1}',
            job_category => 'maintenance', priority => 2, p_scheduled_at => now())";
        let id = text(&bench.row(enqueue).await["job_id"]);
        let claim = "select * from claim_next_job_v3(p_worker_id => 'w', p_job_types => null, p_job_lanes => null)";
        assert_eq!(bench.row(claim).await["job_id"], json!(id));
        assert_eq!(bench.call(&format!("update_job_heartbeat(p_job_id => '{id}', p_worker_id => 'w')")).await, true);
        let acquire =
            "acquire_api_capacity(p_provider_name => 'google', p_api_endpoint => 'vision-api', p_estimated_tokens => 1)";
        assert_eq!(bench.call(acquire).await, true);
        bench.run(&acquire.replace("acquire_", "select release_").replace("1)", "1, p_actual_tokens => 1)")).await;
        let reschedule = "p_delay_seconds => 5, p_reason => 'busy', p_add_jitter => false, p_worker_id => 'w'";
        assert_eq!(bench.call(&format!("reschedule_job(p_job_id => '{id}', {reschedule})")).await, true);
        bench.run("select * from claim_next_job_v3('w', p_now => now() + interval '1 hour')").await;
        let complete = format!("complete_job(p_job_id => '{id}', p_worker_id => 'w', p_job_result => null)");
        assert_eq!(bench.call(&complete).await, true);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_stored_as_it_was_given() {
    on_bench(async |bench| {
        let owner = "01890000-0000-7000-8000-0000000000aa";
        let further = format!(
            ", job_category => 'critical', priority => 9, p_delay_seconds => 90, p_idempotency_key => 'k', p_owner_user_id => '{owner}',
            p_job_lane => 'heavy', p_job_config => '{{\"max_attempts\": 2}}', p_correlation_id => 'request-7'"
        );
        let id = bench.enqueue("anything at all", &further).await;
        let job = bench.job(&id).await;
        for (column, value) in [
            ("job_type", json!("anything at all")),
            ("job_name", json!("A job")),
            ("job_payload", json!({"n": 1})),
            ("job_category", json!("critical")),
            ("priority", json!(9)),
            ("owner_user_id", json!(owner)),
            ("lane", json!("heavy")),
            ("job_lane", json!(null)),
            ("job_config", json!({"max_attempts": 2})),
            ("correlation_id", json!("request-7")),
            ("idempotency_key", json!("k")),
            ("status", json!("queued")),
            ("attempt", json!(0)),
            ("created_at", json!(NOW)),
        ] {
            assert_eq!(job[column], value, "{column}");
        }
        assert!((after_now(&job["scheduled_at"]) - 90.0).abs() < 1e-6);
        assert_eq!(bench.history(&id).await, ["enqueued"]);
        let inherited = "select job_id from enqueue_job_v3('t', 't', '{\"correlation_id\": \"request-8\"}')";
        let id = text(&bench.row(inherited).await["job_id"]);
        assert_eq!(bench.job(&id).await["correlation_id"], "request-8");
    })
    .await;
}

#[tokio::test]
async fn lanes_are_those_of_exora() {
    on_bench(async |bench| {
        for (kind, asked, lane) in [
            ("shell_file_processing", "", "standard_queue"),
            ("shell_file_processing", "fast_queue", "fast_queue"),
            ("shell_file_processing", "standard_queue", "standard_queue"),
            ("ai_processing", "", "ai_queue_simple"),
            ("ai_processing", "ai_queue_simple", "ai_queue_simple"),
            ("ai_processing", "ai_queue_complex", "ai_queue_complex"),
        ] {
            let payload = if asked.is_empty() { json!({"a": 1}) } else { json!({"a": 1, "job_lane": asked}) };
            let id = text(&bench.row(&format!("select job_id from enqueue_job_v3('{kind}', 'n', '{payload}')")).await["job_id"]);
            let job = bench.job(&id).await;
            assert_eq!((&job["job_lane"], &job["lane"]), (&json!(lane), &json!(lane)), "{kind} {asked}");
        }
        let id = bench.enqueue("notification_delivery", "").await;
        let job = bench.job(&id).await;
        assert_eq!((&job["job_lane"], &job["lane"]), (&json!(null), &json!("default")));
    })
    .await;
}

/// What must be refused: the arguments of a call, and the name of the refusal.
fn refusals() -> Vec<(String, &'static str)> {
    let call = |further: &str| format!(r#"'t', 'n', '{{"a": 1}}'{further}"#);
    let with = |payload: &str| format!("'t', 'n', {payload}");
    vec![
        (r#"'shell_file_processing', 'n', '{"job_lane": "ai_queue_simple"}'"#.to_owned(), "wrong_lane"),
        (r#"'shell_file_processing', 'n', '{"a": 1}', p_job_lane => 'heavy'"#.to_owned(), "wrong_lane"),
        (r#"'ai_processing', 'n', '{"job_lane": "fast_queue"}'"#.to_owned(), "wrong_lane"),
        (r#"'ai_processing', 'n', '{"job_lane": "AI_QUEUE_SIMPLE"}'"#.to_owned(), "wrong_lane"),
        (call(", p_job_lane => ' '"), "blank_lane"),
        (with("null"), "empty_payload"),
        (with("'null'"), "empty_payload"),
        (with("'{}'"), "empty_payload"),
        (with("'[]'"), "empty_payload"),
        (with("'[1]'"), "empty_payload"),
        (with("'\"text\"'"), "empty_payload"),
        (with("'7'"), "empty_payload"),
        (r"'ai_processing', 'n', null".to_owned(), "empty_payload"),
        (r"'ai_processing', 'n', '[1]'".to_owned(), "empty_payload"),
        (call(", p_delay_seconds => -1"), "negative_delay"),
        (call(", p_delay_seconds => -0.001"), "negative_delay"),
        (with("jsonb_build_object('a', repeat('x', 65536))"), "payload_too_large"),
        (with(&format!("'{}'", json!({"deep": [{"token": format!("xoxb-{}", "1234567890ab")}]}))), "payload_has_secret"),
        (with(&format!("'{}'", json!({format!("sk-{}-{}", "ant", "a".repeat(20)): 1}))), "payload_has_secret"),
        (call(", priority => 0"), "bad_priority"),
        (call(", priority => 11"), "bad_priority"),
        (call(", priority => -5"), "bad_priority"),
        (r#"'', 'n', '{"a": 1}'"#.to_owned(), "blank_kind"),
        (r#"'   ', 'n', '{"a": 1}'"#.to_owned(), "blank_kind"),
        (r#"null, 'n', '{"a": 1}'"#.to_owned(), "blank_kind"),
        (call(", p_idempotency_key => ' '"), "bad_key"),
        (call(", p_idempotency_key => repeat('k', 257)"), "bad_key"),
    ]
}

#[tokio::test]
async fn what_is_refused_is_refused_by_name_and_leaves_nothing() {
    on_bench(async |bench| {
        let before = bench.everything().await;
        for (arguments, name) in refusals() {
            let refused = bench.refused(&format!("select * from enqueue_job_v3({arguments})")).await;
            assert_eq!(refused, Refused { code: "YJ400".to_owned(), name: name.to_owned() }, "{arguments}");
        }
        assert_eq!(bench.everything().await, before);
    })
    .await;
}

#[tokio::test]
async fn what_is_just_within_the_rules_is_taken() {
    on_bench(async |bench| {
        for arguments in [
            "'t', 'n', jsonb_build_object('a', repeat('x', 65000))",
            r#"'t', 'n', '{"a": 1}', p_delay_seconds => 0"#,
            r#"'t', 'n', '{"a": 1}', priority => 1"#,
            r#"'t', 'n', '{"a": 1}', priority => 10"#,
            r#"'t', 'n', '{"a": 1}', p_idempotency_key => repeat('k', 256)"#,
            r#"'t', 'n', '{"a": "a desk-lamp and a task-list-for-monday-morning-at-nine"}'"#,
        ] {
            bench.row(&format!("select * from enqueue_job_v3({arguments})")).await;
        }
    })
    .await;
}

/// Beginnings of secrets, the kind of text around them, and how much follows.
fn suspicious() -> Vec<String> {
    const BEGINNINGS: [&str; 24] = [
        "sk-ant-",
        "sk-",
        "xoxb-",
        "xoxp-",
        "xoxe-",
        "xoxe.xox",
        "xoxa-",
        "xapp-",
        "ntn_",
        "secret_",
        "ya29.",
        "1//0",
        "AIza",
        "re_",
        "sk_live_",
        "sk_test_",
        "AKIA",
        "ghp_",
        "github_pat_",
        "sb_secret_",
        "eyJ",
        "gAAAAA",
        "-----BEGIN ",
        "word",
    ];
    let mut all = vec![];
    for beginning in BEGINNINGS {
        for before in ["", " ", "\"", "x", "_", "-", ".", "/", "é"] {
            for length in [0, 9, 10, 15, 16, 19, 20, 23, 24, 29, 30, 39, 40, 59, 60, 80] {
                let tail: String = "a1-._Zb".chars().cycle().take(length).collect();
                all.push(format!("{before}{beginning}{tail}"));
                all.push(format!("{before}{beginning}{tail}/{tail} and more"));
            }
        }
    }
    all
}

#[tokio::test]
async fn sql_knows_the_secrets_that_the_library_knows() {
    on_bench(async |bench| {
        let all = suspicious();
        let list = serde_json::to_string(&all).unwrap().replace('\'', "''");
        let query = format!("select job_has_secret(it) as said from jsonb_array_elements_text('{list}') with ordinality as t (it, nth) order by nth");
        let said = bench.rows(&query).await;
        let differ: Vec<_> = all.iter().zip(&said).filter(|(it, said)| payload::secret_in(it).is_some() != said["said"]).collect();
        assert!(differ.is_empty(), "{} of {} differ: {:?}", differ.len(), all.len(), differ.iter().take(5).collect::<Vec<_>>());
        assert!(said.iter().any(|it| it["said"] == true) && said.iter().any(|it| it["said"] == false));
    })
    .await;
}

#[tokio::test]
async fn an_instant_that_has_passed_is_now() {
    on_bench(async |bench| {
        let id = bench.enqueue("t", ", p_scheduled_at => '2020-01-01T00:00:00Z'").await;
        assert_eq!(bench.job(&id).await["scheduled_at"], NOW);
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_was_never_enqueued() {
    on_bench(async |bench| {
        let before = bench.everything().await;
        bench.run("begin").await;
        bench.enqueue("t", ", p_idempotency_key => 'k'").await;
        bench.run("rollback").await;
        assert_eq!(bench.everything().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_stored_in_order_or_not_at_all() {
    on_bench(async |bench| {
        let before = bench.everything().await;
        let batch = json!([{"type": "a", "payload": {"n": 1}}, {"type": "b", "payload": {"n": 2}, "priority": 0}]);
        let refused = bench.refused(&format!("select * from enqueue_jobs_v3('{batch}')")).await;
        assert_eq!((refused.code.as_str(), refused.name.as_str()), ("YJ400", "bad_priority"));
        assert_eq!(bench.everything().await, before);
        let batch: Vec<_> = (0..50).map(|n| json!({"type": format!("t{n}"), "payload": {"n": n}})).collect();
        let batch = json!(batch);
        let stored = format!("select q.job_type from enqueue_jobs_v3('{batch}') with ordinality as e join job_queue q on q.id = e.job_id order by e.ordinality");
        bench.run(&format!("create temporary table answered as select job_id, ordinality from enqueue_jobs_v3('{batch}') with ordinality")).await;
        let kinds = bench.rows("select q.job_type from answered a join job_queue q on q.id = a.job_id order by a.ordinality").await;
        assert_eq!(kinds.len(), 50, "{stored}");
        for (n, kind) in kinds.iter().enumerate() {
            assert_eq!(kind["job_type"], format!("t{n}"));
        }
    })
    .await;
}

/// Takes and gives back so many requests of the endpoint that decides about back-pressure.
async fn requests(bench: &mut Bench, count: u32) {
    bench
        .run(&format!(
            "do $$ begin for n in 1..{count} loop
                assert acquire_api_capacity('openai', 'gpt-4o-mini', 1, 'w', 60, '{NOW}');
                perform release_api_capacity('openai', 'gpt-4o-mini', 1, 1, 'w', '{NOW}');
            end loop; end $$"
        ))
        .await;
}

#[tokio::test]
async fn ai_jobs_start_later_while_the_provider_is_close_to_its_limit() {
    on_bench(async |bench| {
        let ai = |further: &str| format!("select * from enqueue_job_v3('ai_processing', 'n', '{{\"a\": 1}}'{further})");
        let now = format!(", p_now => '{NOW}'");
        requests(bench, 400).await;
        let at_the_mark = bench.row(&ai(&now)).await;
        assert!(after_now(&at_the_mark["scheduled_at"]).abs() < 1e-6, "400 of 500 are not above four fifths");
        requests(bench, 1).await;
        let above = bench.row(&ai(&now)).await;
        assert!((after_now(&above["scheduled_at"]) - 5.0).abs() < 1e-6, "{above}");
        assert_eq!(bench.job(&text(&above["job_id"])).await["scheduled_at"], above["scheduled_at"]);
        let later = bench.row(&ai(&format!(", p_delay_seconds => 60{now}"))).await;
        assert!((after_now(&later["scheduled_at"]) - 65.0).abs() < 1e-6, "{later}");
        let other = bench.enqueue("report_generation", "").await;
        assert_eq!(bench.job(&other).await["scheduled_at"], NOW, "jobs of other kinds are not delayed");
        let minute = bench.row(&ai(", p_now => '2026-03-02T12:01:01Z'")).await;
        assert!((after_now(&minute["scheduled_at"]) - 61.0).abs() < 1e-6, "a minute later there is room: {minute}");
    })
    .await;
}

#[tokio::test]
async fn ai_jobs_carry_an_estimate_of_their_tokens() {
    on_bench(async |bench| {
        for (payload, tokens) in [(json!({"a": 1}), 1000), (json!({"a": 1, "estimated_tokens": 7}), 7)] {
            let id = bench.row(&format!("select job_id from enqueue_job_v3('ai_processing', 'n', '{payload}')")).await;
            assert_eq!(bench.job(&text(&id["job_id"])).await["job_payload"]["estimated_tokens"], tokens);
        }
    })
    .await;
}
