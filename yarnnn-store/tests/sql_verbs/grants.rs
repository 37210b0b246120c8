//! Who may call the verbs: the service, and nobody else.

use super::bench::{Bench, migrate, on_bench, text, texts};
use super::common::with_postgres;
use yarnnn_core::id::{IdGen as _, RandomIds};

/// The functions of the schema that the role may call, by signature.
fn callable(role: &str) -> String {
    format!(
        "select p.oid::regprocedure::text as name from pg_proc p where p.pronamespace = 'public'::regnamespace
            and has_function_privilege('{role}', p.oid, 'execute') order by 1"
    )
}

const VERBS: [&str; 13] = [
    "select * from enqueue_job_v3('t', 'n', '{\"a\": 1}')",
    "select * from enqueue_jobs_v3('[]')",
    "select * from claim_next_job_v3('w')",
    "select update_job_heartbeat(gen_random_uuid(), 'w')",
    "select complete_job(gen_random_uuid(), 'w')",
    "select fail_job(gen_random_uuid(), 'w', 'e')",
    "select reschedule_job(gen_random_uuid(), 1, 'r')",
    "select acquire_api_capacity('openai', 'gpt-4o-mini')",
    "select release_api_capacity('openai', 'gpt-4o-mini')",
    "select * from acquire_api_permit('openai', 'gpt-4o-mini', 1, 'w')",
    "select release_api_permit(gen_random_uuid())",
    "select * from rescue_jobs()",
    "select * from renew_job_leases('w', '{}', '{}')",
];

const RELATIONS: [&str; 9] = [
    "job_queue",
    "job_keys",
    "job_events",
    "job_workers",
    "api_rate_limits",
    "api_permits",
    "exora_job_queue",
    "jobs",
    "task_states",
];

#[tokio::test]
async fn a_role_without_rights_can_call_and_read_nothing() {
    on_bench(async |bench| {
        bench.enqueue("t", "").await;
        let role = format!("yarnnn_test_{}", RandomIds.uuid().simple());
        bench.run(&format!("create role {role}")).await;
        let (callable, before) = (bench.rows(&callable(&role)).await, bench.everything().await);
        bench.run(&format!("set role {role}")).await;
        let mut said = vec![];
        for verb in VERBS {
            said.push((verb.to_owned(), bench.refused(verb).await.code));
        }
        for relation in RELATIONS {
            for sql in [format!("select * from {relation}"), format!("delete from {relation}")] {
                let code = bench.refused(&sql).await.code;
                said.push((sql, code));
            }
        }
        bench.run("reset role").await;
        assert_eq!(bench.everything().await, before);
        bench.run(&format!("drop role {role}")).await;
        assert_eq!(texts(&callable, "name"), Vec::<String>::new(), "whatever a migration adds must be revoked from public");
        // Deleting from a view that cannot be updated is refused as such.
        let open: Vec<_> = said.iter().filter(|(_, code)| !["42501", "55000"].contains(&code.as_str())).collect();
        assert!(open.is_empty(), "{open:?}");
    })
    .await;
}

/// Roles are those of the whole server: other tests may want this one too, so it stays, without a login.
async fn make_service_role(bench: &mut Bench) {
    bench
        .run(
            "do $$ begin
                if not exists (select from pg_roles where rolname = 'service_role') then create role service_role nologin; end if;
            exception when duplicate_object or unique_violation then null; end $$",
        )
        .await;
}

#[tokio::test]
async fn the_service_role_may_call_the_verbs_where_it_exists() {
    with_postgres(|url| async move {
        let mut bench = Bench::open(&url).await;
        make_service_role(&mut bench).await;
        migrate(&url).await;
        bench.run("set role service_role").await;
        let id = text(
            &bench.row("select job_id from enqueue_job_v3('t', 'n', '{\"a\": 1}', p_idempotency_key => 'k')").await["job_id"],
        );
        let claimed = bench.row("select * from claim_next_job_v3('w')").await;
        assert_eq!(text(&claimed["job_id"]), id);
        for call in [
            format!("update_job_heartbeat('{id}', 'w')"),
            format!("reschedule_job('{id}', 0, 'later', false, 'w')"),
            "acquire_api_capacity('openai', 'gpt-4o-mini')".to_owned(),
        ] {
            assert_eq!(bench.call(&call).await, true, "{call}");
        }
        bench.run("select release_api_capacity('openai', 'gpt-4o-mini')").await;
        bench.run("select * from rescue_jobs()").await;
        bench.row("select * from claim_next_job_v3('w')").await;
        assert_eq!(bench.call(&format!("fail_job('{id}', 'w', 'it broke', false)")).await, true);
        bench.row("select job_id from enqueue_job_v3('t', 'n', '{\"a\": 1}')").await;
        let second = text(&bench.row("select * from claim_next_job_v3('w')").await["job_id"]);
        assert_eq!(bench.call(&format!("complete_job('{second}', 'w')")).await, true);
    })
    .await;
}

/// Whoever calls must not be able to have another function run in place of the one that is meant.
#[tokio::test]
async fn what_runs_with_the_owners_rights_has_a_pinned_search_path() {
    on_bench(async |bench| {
        let query = "select oid::regprocedure::text as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
            and not coalesce(array_to_string(proconfig, ' ') like '%search_path=public, pg_temp%', false)";
        assert_eq!(texts(&bench.rows(query).await, "name"), Vec::<String>::new());
        bench.run("create schema evil; create function evil.job_refuse(text, text) returns void language sql as 'select null::void'").await;
        bench.run("create function evil.clock_timestamp() returns timestamptz language sql as $$ select '1999-01-01'::timestamptz $$").await;
        bench.run("set search_path to evil, public, pg_catalog").await;
        let refused = bench.refused("select * from enqueue_job_v3('', 'n', '{\"a\": 1}')").await;
        assert_eq!(refused.name, "blank_kind");
        let at = bench.row("select scheduled_at from enqueue_job_v3('t', 'n', '{\"a\": 1}')").await;
        assert!(!text(&at["scheduled_at"]).starts_with("1999"));
    })
    .await;
}
