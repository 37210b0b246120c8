//! Who does not hold a job changes nothing: not its row, not its history, not anything else.

use super::bench::{Bench, NOW, on_bench, text};

const NO_TOKEN: &str = "null";

/// Every verb that a holder has, as calls by a worker with a token.
fn verbs(id: &str, worker: &str, token: &str) -> Vec<String> {
    let (worker, token) = (format!("'{worker}'"), if token == NO_TOKEN { token.to_owned() } else { format!("'{token}'") });
    vec![
        format!("select update_job_heartbeat('{id}', {worker}, {token}) as said"),
        format!("select complete_job('{id}', {worker}, '{{\"mine\": true}}', {token}) as said"),
        format!("select fail_job('{id}', {worker}, 'sabotage', true, {token}) as said"),
        format!("select fail_job('{id}', {worker}, 'sabotage', false, {token}) as said"),
        format!("select reschedule_job('{id}', 3600, 'sabotage', true, {worker}, {token}) as said"),
        format!("select reschedule_job('{id}', 0, 'sabotage', false, {worker}, {token}) as said"),
    ]
}

/// The verbs for many jobs: they answer those that hold.
fn batches(id: &str, worker: &str, token: &str) -> Vec<String> {
    let (ids, tokens) = (format!("array['{id}']::uuid[]"), format!("array['{token}']::uuid[]"));
    vec![
        format!("select * from renew_job_leases('{worker}', {ids}, {tokens})"),
        format!("select * from complete_jobs('{worker}', {ids}, {tokens}, array['{{}}']::jsonb[], array[null]::float8[])"),
    ]
}

async fn change_nothing(bench: &mut Bench, id: &str, worker: &str, token: &str, who: &str) {
    let before = bench.everything().await;
    for verb in verbs(id, worker, token) {
        assert_eq!(bench.row(&verb).await["said"], false, "{who}: {verb}");
        assert_eq!(bench.everything().await, before, "{who}: {verb}");
    }
    if token == NO_TOKEN {
        return;
    }
    for verb in batches(id, worker, token) {
        assert!(bench.rows(&verb).await.is_empty(), "{who}: {verb}");
        assert_eq!(bench.everything().await, before, "{who}: {verb}");
    }
}

const SOME_TOKEN: &str = "01890000-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_stranger_changes_nothing() {
    on_bench(async |bench| {
        let (id, token) = bench.running("").await;
        change_nothing(bench, &id, "stranger", NO_TOKEN, "another worker").await;
        change_nothing(bench, &id, "stranger", &token, "another worker with the token").await;
        change_nothing(bench, &id, "w", SOME_TOKEN, "the worker with a token that it was not given").await;
        change_nothing(bench, &id, "", NO_TOKEN, "nobody").await;
        change_nothing(bench, "01890000-0000-7000-8000-0000000000ff", "w", NO_TOKEN, "a job that is not there").await;
        let nobody = bench.everything().await;
        for verb in verbs(&id, "x", NO_TOKEN) {
            let verb = verb.replace("'x'", "null");
            assert_ne!(bench.row(&verb).await["said"], true, "{verb}");
            assert_eq!(bench.everything().await, nobody, "{verb}");
        }
    })
    .await;
}

/// A late worker has the right name, but the token of a run that is over.
#[tokio::test]
async fn a_stale_token_changes_nothing_in_any_state() {
    on_bench(async |bench| {
        let (id, stale) = bench.running("").await;
        bench.run("select * from rescue_jobs(array['w'])").await;
        assert_eq!(bench.job(&id).await["status"], "retrying");
        change_nothing(bench, &id, "w", &stale, "late, and the job waits for another try").await;
        change_nothing(bench, &id, "w", NO_TOKEN, "late and without a token, and the job waits").await;

        let again = bench.row("select * from claim_next_job_v3('w')").await;
        let token = text(&again["run_token"]);
        change_nothing(bench, &id, "w", &stale, "late, and the same worker has it again").await;
        assert_eq!(bench.call(&format!("fail_job('{id}', 'w', 'once', true, '{token}')")).await, true);
        change_nothing(bench, &id, "w", &token, "late, and the run has failed").await;

        let last = bench.row(&format!("select * from claim_next_job_v3('v', p_only => '{id}', p_now => '2126-01-01')")).await;
        change_nothing(bench, &id, "w", &token, "late, and another worker has it").await;
        change_nothing(bench, &id, "w", NO_TOKEN, "late and without a token, and another worker has it").await;
        assert_eq!(bench.call(&format!("complete_job('{id}', 'v', null, '{}')", text(&last["run_token"]))).await, true);
        for (worker, token) in [("w", stale.as_str()), ("v", NO_TOKEN), ("v", &text(&last["run_token"]))] {
            change_nothing(bench, &id, worker, token, "late, and the job is done").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_job_that_waits_or_has_ended_has_no_holder() {
    on_bench(async |bench| {
        let id = bench.enqueue("t", "").await;
        change_nothing(bench, &id, "w", NO_TOKEN, "it waits").await;
        change_nothing(bench, &id, "w", SOME_TOKEN, "it waits").await;
        for status in ["succeeded", "failed", "dead", "cancelled", "needs_human"] {
            bench
                .run(&format!(
                    "update job_queue set status = '{status}', worker_id = 'w', completed_at = '{NOW}' where id = '{id}'"
                ))
                .await;
            change_nothing(bench, &id, "w", NO_TOKEN, status).await;
            assert_eq!(bench.call(&format!("reschedule_job('{id}', 30, 'why')")).await, false, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_jobs_only_those_that_are_held_are_written() {
    on_bench(async |bench| {
        let (held, token) = bench.running("").await;
        let (lost, _) = bench.running("").await;
        let (ids, tokens) = (format!("array['{held}', '{lost}']::uuid[]"), format!("array['{token}', '{SOME_TOKEN}']::uuid[]"));
        let before = bench.job(&lost).await;
        let renewed = bench.rows(&format!("select * from renew_job_leases('w', {ids}, {tokens})")).await;
        assert_eq!((renewed.len(), text(&renewed[0]["run_token"])), (1, token.clone()));
        let done = format!("complete_jobs('w', {ids}, {tokens}, array['{{}}', '{{}}']::jsonb[], array[null, null]::float8[])");
        assert_eq!(bench.rows(&format!("select {done} as id")).await.len(), 1);
        assert_eq!((bench.job(&held).await["status"].as_str(), bench.job(&lost).await), (Some("succeeded"), before));
    })
    .await;
}
