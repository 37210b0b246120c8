//! What a hosted database's web roles see of the tables and views: nothing, although they may read whatever is in the schema.

use std::time::Duration;

use serde_json::json;
use yarnnn_core::id::{IdGen as _, RandomIds};
use yarnnn_store::SqlStore;

use super::bench::{Bench, migrate, on_bench, texts};
use super::common::with_postgres;

/// Relations of the schema, of these kinds and with this property.
fn relations(kinds: &str, property: &str) -> String {
    format!(
        "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ({kinds}) and {property}
            order by 1"
    )
}

async fn names(bench: &mut Bench, kinds: &str, property: &str) -> Vec<String> {
    texts(&bench.rows(&relations(kinds, property)).await, "name")
}

#[tokio::test]
async fn every_table_has_row_level_security_and_no_policy() {
    on_bench(async |bench| {
        let none: Vec<String> = vec![];
        let open = names(bench, "'r', 'p'", "not relrowsecurity").await;
        assert_eq!(open, none, "a migration that adds a table has to say `enable row level security`");
        assert_eq!(names(bench, "'r', 'p'", "relforcerowsecurity").await, none, "the owner goes on");
        let policies = bench.rows("select tablename as name from pg_policies where schemaname = 'public'").await;
        assert_eq!(texts(&policies, "name"), none);
        // A view reads with the rights of its owner unless it says otherwise.
        let invoker = "coalesce(array_to_string(reloptions, ' '), '') not like '%security_invoker=true%'";
        assert_eq!(names(bench, "'v'", invoker).await, none, "a view has to say `with (security_invoker = true)`");
        assert_eq!(names(bench, "'m', 'f'", "true").await, none, "these know no row-level security");
    })
    .await;
}

#[tokio::test]
async fn whoever_may_read_the_schema_sees_no_row_and_the_owner_sees_all() {
    on_bench(async |bench| {
        bench.enqueue("t", "").await;
        let role = format!("yarnnn_test_{}", RandomIds.uuid().simple());
        bench.run(&format!("create role {role}; grant all on all tables in schema public to {role}")).await;
        let relations = names(bench, "'r', 'v'", "true").await;
        let mut seen = vec![];
        for who in ["reset role".to_owned(), format!("set role {role}")] {
            bench.run(&who).await;
            let mut full = vec![];
            for relation in &relations {
                if bench.row(&format!("select count(*) as rows from {relation}")).await["rows"] != json!(0) {
                    full.push(relation.as_str());
                }
            }
            seen.push(full.join(" "));
        }
        let code = bench
            .refused(
                "insert into users (id, email, email_lower, created_at, updated_at)
            values (gen_random_uuid(), 'a', 'a', now(), now())",
            )
            .await
            .code;
        bench.run(&format!("reset role; drop owned by {role}; drop role {role}")).await;
        let all = "_sqlx_migrations api_rate_limits exora_job_queue job_events job_queue jobs task_states users workspaces";
        assert_eq!((seen[0].as_str(), seen[1].as_str(), code.as_str()), (all, "", "42501"));
    })
    .await;
}

#[tokio::test]
async fn a_migration_does_not_wait_behind_a_reader_for_ever() {
    with_postgres(|url| async move {
        migrate(&url).await;
        let mut reader = Bench::open(&url).await;
        reader.run("alter table users disable row level security; delete from _sqlx_migrations where version = 10").await;
        reader.run("begin; lock table users in access share mode").await;
        let store = SqlStore::connect(&url).await.unwrap();
        let refused = tokio::time::timeout(Duration::from_mins(1), store.migrate()).await.expect("it waits for ever");
        assert!(refused.unwrap_err().is_transient());
        reader.run("commit").await;
        store.migrate().await.unwrap();
        assert_eq!(names(&mut reader, "'r'", "not relrowsecurity").await, Vec::<String>::new());
    })
    .await;
}
