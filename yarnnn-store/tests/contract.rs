//! Every fact that the core states about its store ports, on every back-end: `SQLite` in memory and in a file, and Postgres.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

mod common;

use yarnnn_core::contract::Ports;
use yarnnn_store::SqlStore;

/// Gives each back-end a module with one test per fact.
macro_rules! on_every_back_end {
    ($($module:ident { $($fact:ident,)* })*) => {
        mod sqlite_in_memory {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    let store = yarnnn_store::SqlStore::in_memory().await.unwrap();
                    yarnnn_core::contract::$module::$fact(&crate::common::ports(store)).await;
                }
            )* })*
        }

        mod sqlite_in_a_file {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    let (store, _folder) = crate::common::sqlite_file().await;
                    yarnnn_core::contract::$module::$fact(&crate::common::ports(store)).await;
                }
            )* })*
        }

        mod postgres {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    crate::common::with_postgres(|url| async move {
                        yarnnn_core::contract::$module::$fact(&crate::migrated(&url).await).await;
                    })
                    .await;
                }
            )* })*
        }

        /// All facts that run, by module.
        const FACTS: &[(&str, &[&str])] = &[$((stringify!($module), &[$(stringify!($fact)),*])),*];
    };
}

yarnnn_core::contract_facts!(on_every_back_end);

async fn migrated(url: &str) -> Ports {
    let store = SqlStore::connect(url).await.unwrap();
    store.migrate().await.unwrap();
    common::ports(store)
}

/// The file of each suite and of the ports it is about.
const SUITES: &[(&str, &str, &[&str])] = &[
    ("accounts", include_str!("../../yarnnn-core/src/contract/accounts.rs"), &[ACCOUNTS]),
    ("activity", include_str!("../../yarnnn-core/src/contract/activity.rs"), &[ACTIVITY]),
    ("connections", include_str!("../../yarnnn-core/src/contract/connections.rs"), &[]),
    ("credentials", include_str!("../../yarnnn-core/src/contract/credentials.rs"), &[]),
    ("oauth_states", include_str!("../../yarnnn-core/src/contract/oauth_states.rs"), &[]),
    ("content", include_str!("../../yarnnn-core/src/contract/content.rs"), &[]),
    ("places", include_str!("../../yarnnn-core/src/contract/places.rs"), &[]),
    ("reading", include_str!("../../yarnnn-core/src/contract/reading.rs"), &[]),
    ("rebuilds", include_str!("../../yarnnn-core/src/contract/rebuilds.rs"), &[]),
    ("audits", include_str!("../../yarnnn-core/src/contract/audits.rs"), &[]),
    ("search", include_str!("../../yarnnn-core/src/contract/search.rs"), &[SEARCH]),
    ("deliverables", include_str!("../../yarnnn-core/src/contract/deliverables.rs"), &[]),
    ("slots", include_str!("../../yarnnn-core/src/contract/slots.rs"), &[]),
    ("versions", include_str!("../../yarnnn-core/src/contract/versions.rs"), &[]),
    ("version_material", include_str!("../../yarnnn-core/src/contract/version_material.rs"), &[]),
    ("feedback", include_str!("../../yarnnn-core/src/contract/feedback.rs"), &[]),
    ("left_runs", include_str!("../../yarnnn-core/src/contract/left_runs.rs"), &[]),
    ("lifecycle", include_str!("../../yarnnn-core/src/contract/lifecycle.rs"), &[]),
    ("events", include_str!("../../yarnnn-core/src/contract/events.rs"), &[]),
    ("notices", include_str!("../../yarnnn-core/src/contract/notices.rs"), &[]),
    ("evidence", include_str!("../../yarnnn-core/src/contract/evidence.rs"), &[EVIDENCE]),
    ("outbox", include_str!("../../yarnnn-core/src/contract/outbox.rs"), &[]),
    ("model_ledger", include_str!("../../yarnnn-core/src/contract/model_ledger.rs"), &[]),
    ("web_pages", include_str!("../../yarnnn-core/src/contract/web_pages.rs"), &[PAGES]),
    ("signals", include_str!("../../yarnnn-core/src/contract/signals.rs"), &[SIGNALS]),
    ("phases", include_str!("../../yarnnn-core/src/contract/phases.rs"), &[PHASES]),
    ("heartbeat", include_str!("../../yarnnn-core/src/contract/heartbeat.rs"), &[HEARTBEAT]),
    ("cleanup", include_str!("../../yarnnn-core/src/contract/cleanup.rs"), &[CLEANUP]),
    ("jobs_enqueue", include_str!("../../yarnnn-core/src/contract/jobs_enqueue.rs"), &[]),
    ("jobs_keys", include_str!("../../yarnnn-core/src/contract/jobs_keys.rs"), &[]),
    ("jobs_claim", include_str!("../../yarnnn-core/src/contract/jobs_claim.rs"), &[]),
    ("jobs_fairness", include_str!("../../yarnnn-core/src/contract/jobs_fairness.rs"), &[]),
    ("jobs_finish", include_str!("../../yarnnn-core/src/contract/jobs_finish.rs"), &[]),
    ("jobs_lost", include_str!("../../yarnnn-core/src/contract/jobs_lost.rs"), &[]),
    ("jobs_rescue", include_str!("../../yarnnn-core/src/contract/jobs_rescue.rs"), &[]),
    ("jobs_state", include_str!("../../yarnnn-core/src/contract/jobs_state.rs"), &[]),
    ("job_admin", include_str!("../../yarnnn-core/src/contract/job_admin.rs"), &[]),
    ("job_upkeep", include_str!("../../yarnnn-core/src/contract/job_upkeep.rs"), &[]),
    ("leases", include_str!("../../yarnnn-core/src/contract/leases.rs"), &[]),
    ("presence", include_str!("../../yarnnn-core/src/contract/presence.rs"), &[]),
    ("wake_ups", include_str!("../../yarnnn-core/src/contract/wake_ups.rs"), &[WAKE_UPS]),
    ("capacity", include_str!("../../yarnnn-core/src/contract/capacity.rs"), &[]),
    ("capacity_windows", include_str!("../../yarnnn-core/src/contract/capacity_windows.rs"), &[]),
    ("follow_ups", include_str!("../../yarnnn-core/src/contract/follow_ups.rs"), &[]),
];
const ACCOUNTS: &str = include_str!("../../yarnnn-core/src/accounts/store.rs");
const ACTIVITY: &str = include_str!("../../yarnnn-core/src/activity/store.rs");
const CONNECTIONS: &str = include_str!("../../yarnnn-core/src/connections/store.rs");
const CONTENT: &str = include_str!("../../yarnnn-core/src/sync/store.rs");
const SEARCH: &str = include_str!("../../yarnnn-core/src/search.rs");
const DELIVERABLES: &str = include_str!("../../yarnnn-core/src/deliverables/store.rs");
const EVIDENCE: &str = include_str!("../../yarnnn-core/src/evidence/store.rs");
const OUTBOX: &str = include_str!("../../yarnnn-core/src/delivery/store.rs");
const LEDGER: &str = include_str!("../../yarnnn-core/src/llm/ledger.rs");
const PAGES: &str = include_str!("../../yarnnn-core/src/agent/pages.rs");
const SIGNALS: &str = include_str!("../../yarnnn-core/src/signals/store.rs");
const PHASES: &str = include_str!("../../yarnnn-core/src/scheduler/store.rs");
const HEARTBEAT: &str = include_str!("../../yarnnn-core/src/heartbeat/store.rs");
const CLEANUP: &str = include_str!("../../yarnnn-core/src/cleanup/store.rs");
const JOBS: &str = include_str!("../../yarnnn-core/src/jobs/queue.rs");
const KEEPER: &str = include_str!("../../yarnnn-core/src/jobs/keeper.rs");
const PRESENCE: &str = include_str!("../../yarnnn-core/src/jobs/presence.rs");
const WAKE_UPS: &str = include_str!("../../yarnnn-core/src/jobs/wake.rs");
const CAPACITY: &str = include_str!("../../yarnnn-core/src/jobs/capacity.rs");

fn functions<'a>(source: &'a str, before: &str) -> Vec<&'a str> {
    let lines = source.lines().filter_map(|line| line.strip_prefix(before));
    lines.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name).collect()
}

#[test]
fn every_fact_of_a_suite_is_run() {
    for (name, source, _) in SUITES {
        let (_, facts) = FACTS.iter().find(|(module, _)| module == name).unwrap();
        let written: Vec<_> = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")).collect();
        let written: Vec<_> =
            written.iter().filter_map(|rest| rest.split_once("(ports: &Ports)")).map(|(name, _)| name).collect();
        assert_eq!(written, *facts, "{name}");
    }
    assert_eq!(SUITES.len(), FACTS.len());
}

#[test]
fn every_method_of_a_port_has_a_fact() {
    let split: [(&str, &[&str]); 9] = [
        (LEDGER, &["model_ledger", "signals"]),
        (CONNECTIONS, &["connections", "credentials", "oauth_states"]),
        (CONTENT, &["content", "places", "reading", "rebuilds", "audits"]),
        (
            DELIVERABLES,
            &["deliverables", "slots", "versions", "version_material", "feedback", "left_runs", "lifecycle", "events"],
        ),
        (OUTBOX, &["outbox", "notices"]),
        (JOBS, &["jobs_enqueue", "jobs_claim", "jobs_finish", "jobs_rescue", "jobs_state", "job_admin", "job_upkeep"]),
        (KEEPER, &["leases", "presence"]),
        (PRESENCE, &["presence"]),
        (CAPACITY, &["capacity", "capacity_windows"]),
    ];
    let whole = SUITES.iter().flat_map(|(name, _, ports)| ports.iter().map(move |port| (*port, vec![*name])));
    for (port, suites) in whole.chain(split.map(|(port, suites)| (port, suites.to_vec()))) {
        let facts: Vec<_> = FACTS.iter().filter(|(module, _)| suites.contains(module)).flat_map(|(_, facts)| *facts).collect();
        let methods = functions(port, "    async fn ");
        assert!(!methods.is_empty());
        for method in methods {
            let own = |fact: &&str| fact.starts_with(method) || fact.starts_with("sentences") && method == "sentences";
            assert!(facts.iter().any(|fact| own(fact)), "no fact of {suites:?} is about {method}");
        }
    }
}
