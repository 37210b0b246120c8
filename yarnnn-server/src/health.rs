//! The health page of a worker: whether it works, what waits, and whom it may call.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use yarnnn_core::clock::instant_text;
use yarnnn_core::jobs::{CapacityUse, Depth, JobStatus, Jobs};

use crate::worker::{WorkerHandle, unknown_kinds};

/// How often the store is asked what waits. Pages are answered from the last answer, however many ask and however slow it is.
const EVERY: Duration = Duration::from_secs(10);
/// How long the first page waits for the first answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the store last said.
#[derive(Debug, Clone)]
struct Look {
    depth: Vec<Depth>,
    usage: Vec<CapacityUse>,
    at: DateTime<Utc>,
}

/// The page of one worker.
#[derive(Clone)]
pub(crate) struct Page {
    worker: WorkerHandle,
    look: watch::Receiver<Option<Look>>,
}

/// `GET /health`: 200 while the worker works, else 503. Starts to ask the store, on this runtime, for as long as the router is
/// there; the router itself touches no store and may be served on another runtime.
pub fn router(jobs: Jobs, worker: WorkerHandle) -> Router {
    let page = |State(page): State<Page>| async move {
        let (code, body) = page.answer().await;
        (code, Json(body))
    };
    Router::new().route("/health", get(page)).with_state(Page::watching(jobs, worker))
}

/// Serves the page until the shutdown.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn look_on(jobs: &Jobs, looks: &watch::Sender<Option<Look>>) {
    loop {
        match tokio::try_join!(jobs.admin.depth(), jobs.capacity.usage()) {
            Ok((depth, usage)) => {
                looks.send_replace(Some(Look { depth, usage, at: jobs.clock.now() }));
            }
            // The page may be public; a driver's error may name hosts and users.
            Err(error) => tracing::warn!(%error, "the health page cannot be refreshed"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Page {
    pub(crate) fn watching(jobs: Jobs, worker: WorkerHandle) -> Self {
        let (sender, look) = watch::channel(None);
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = look_on(&jobs, &sender) => {}
            }
        });
        Self { worker, look }
    }

    pub(crate) async fn answer(&self) -> (StatusCode, Value) {
        let mut looks = self.look.clone();
        let _ = timeout(PATIENCE, looks.wait_for(Option::is_some)).await;
        let look = looks.borrow().clone();
        // Whether the worker works is known without asking: it beats, looks for work and writes ends all the time.
        let problem = self.worker.problem();
        let code = if problem.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (code, payload(&self.worker, problem.as_deref(), look.as_ref()))
    }
}

fn payload(worker: &WorkerHandle, problem: Option<&str>, look: Option<&Look>) -> Value {
    let (depth, usage) = look.map_or((&[][..], &[][..]), |it| (&it.depth, &it.usage));
    let presence = worker.presence();
    let mut page = json!({
        "status": if problem.is_none() { "healthy" } else { "unhealthy" },
        "worker_id": presence.worker,
        "active_jobs": presence.running,
        "last_heartbeat": worker.last_beat().map(instant_text),
        "api_capacity": api_capacity(usage),
        "queue": queue(depth, &worker.kinds()),
        "queue_seen": look.map(|it| instant_text(it.at)),
        "oldest_unwritten_seconds": worker.unwritten_for().unwrap_or_default().as_secs(),
        "version": presence.version,
        "draining": presence.draining,
    });
    if let Some(problem) = problem {
        page["problem"] = json!(problem);
    }
    page
}

fn queue(depth: &[Depth], known: &[String]) -> Value {
    let count = |status| depth.iter().filter(|it| it.status == status).map(|it| it.count).sum::<u64>();
    json!({
        "queued": count(JobStatus::Queued),
        "running": count(JobStatus::Running),
        "retrying": count(JobStatus::Retrying),
        "dead": count(JobStatus::Dead),
        "failed": count(JobStatus::Failed),
        "needs_human": count(JobStatus::NeedsHuman),
        "oldest_seconds": depth.iter().map(|it| it.oldest_seconds).max().unwrap_or_default(),
        "unknown_kinds": unknown_kinds(depth, known),
    })
}

/// One word for each provider, under the name that monitors know. One endpoint that can be called is enough.
fn api_capacity(usage: &[CapacityUse]) -> BTreeMap<&str, &'static str> {
    let mut providers = BTreeMap::new();
    for it in usage {
        let rank = if it.limits.disabled { 0 } else { 1 + u8::from(it.available) };
        let best = providers.entry(provider(it)).or_insert(rank);
        *best = rank.max(*best);
    }
    providers.into_iter().map(|(name, rank)| (name, ["disabled", "rate_limited", "available"][usize::from(rank)])).collect()
}

fn provider(usage: &CapacityUse) -> &str {
    match (usage.endpoint.provider.as_str(), usage.endpoint.endpoint.as_str()) {
        ("google", "vision-api") => "google_vision",
        (provider, _) => provider,
    }
}

#[cfg(test)]
mod tests {
    use yarnnn_core::jobs::{CapacityLimits, Endpoint};

    use super::*;

    fn usage(provider: &str, endpoint: &str, available: bool, disabled: bool) -> CapacityUse {
        let endpoint = Endpoint { provider: provider.into(), endpoint: endpoint.into() };
        let limits = CapacityLimits { disabled, ..CapacityLimits::default() };
        CapacityUse { endpoint, limits, held: 0, requests_last_minute: 0, available }
    }

    #[test]
    fn a_provider_is_as_available_as_its_best_endpoint() {
        let all = [
            usage("google", "vision-api", false, true),
            usage("openai", "gpt-4o", false, true),
            usage("openai", "gpt-4o-mini", true, false),
            usage("slack", "conversations", false, false),
        ];
        let shown = serde_json::to_value(api_capacity(&all)).unwrap();
        assert_eq!(shown, json!({"google_vision": "disabled", "openai": "available", "slack": "rate_limited"}));
    }

    #[test]
    fn the_queue_is_summed_over_kinds_and_names_those_unknown() {
        let depth = |kind: &str, status, count, oldest_seconds| Depth {
            kind: kind.into(),
            status,
            count,
            quarantined: 0,
            oldest_seconds,
        };
        let all =
            [depth("a", JobStatus::Queued, 2, 7), depth("new", JobStatus::Queued, 1, 9), depth("new", JobStatus::Dead, 5, 0)];
        let shown = queue(&all, &["a".to_owned()]);
        assert_eq!((&shown["queued"], &shown["dead"], &shown["oldest_seconds"]), (&json!(3), &json!(5), &json!(9)));
        assert_eq!(shown["unknown_kinds"], json!({"new": 1}));
    }
}
