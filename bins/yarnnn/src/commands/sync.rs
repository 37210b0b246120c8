//! `yarnnn sync`: everything that is connected, brought up to date now.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::connections::{Connection, ConnectionStatus, Provider};
use yarnnn::jobs::{JobProgress, JobProgressSink};
use yarnnn::pipeline::CancelToken;
use yarnnn::platform::Platform;
use yarnnn::platform_sync::{SyncConnection, SyncOutcome, SyncRequest, SyncTrigger, SyncedPlatform, SyncedResource};

use crate::cli::Sync;
use crate::exit::{FAILED, NotConnected, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};
use crate::work;

pub(super) async fn execute(user: Option<Email>, arguments: Sync, output: &Output) -> anyhow::Result<ExitCode> {
    let wanted = platforms(&arguments.platforms)?;
    let session = Session::open(user).await?;
    let plan = Plan::of(&session, &wanted).await?;
    session.config.need_seal_key()?;
    yarnnn::check_seal_key(&session.config, &session.yarnnn).await?;
    if arguments.detach {
        return detach(&session, &plan, output).await;
    }
    let reports = sync(&session, &plan, &cancel_on_interrupt(), output).await?;
    if output.is_json() {
        output.json(&json(&reports));
    } else {
        show(&reports, output);
    }
    Ok(if is_ok(&reports) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The platforms that were named; `google` is two.
fn platforms(names: &[String]) -> anyhow::Result<Vec<Platform>> {
    let mut platforms = Vec::new();
    for name in names {
        match name.to_lowercase().as_str() {
            "google" => platforms.extend(Provider::Google.platforms()),
            name => platforms.push(name.parse().map_err(|error| UsageError(format!("{error}")))?),
        }
    }
    Ok(platforms)
}

/// What is synced, and what was asked for and cannot be.
pub(super) struct Plan {
    requests: Vec<SyncRequest>,
    missing: Vec<Platform>,
}

impl Plan {
    /// One request per connection; of the platforms that were asked for, or of all.
    pub(super) async fn of(session: &Session, wanted: &[Platform]) -> anyhow::Result<Self> {
        let connections = session.connections()?.list(session.user.id).await?;
        let is_connected = |it: &&Connection| it.status != ConnectionStatus::Disconnected;
        let providers: Vec<Provider> = connections.iter().filter(is_connected).map(|it| it.provider).collect();
        let requests: Vec<_> = providers.iter().filter_map(|it| request(session, *it, wanted)).collect();
        let missing: Vec<_> = wanted.iter().copied().filter(|it| !providers.contains(&Provider::of(*it))).collect();
        if requests.is_empty() {
            let what = missing.first().map_or_else(|| "slack|notion|google".to_owned(), |it| Provider::of(*it).to_string());
            let names: Vec<_> = missing.iter().map(|it| it.as_str()).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let verb = if missing.len() > 1 { "are not" } else { "is not" };
            let verb = if missing.is_empty() { "is" } else { verb };
            return Err(NotConnected(format!("{names} {verb} connected: yarnnn connect {what}")).into());
        }
        Ok(Self { requests, missing })
    }

    fn platforms(&self) -> Vec<Platform> {
        let of = |it: &SyncRequest| it.platform.map_or_else(|| it.provider.platforms().to_vec(), |it| vec![it]);
        let all: Vec<_> = self.requests.iter().flat_map(of).collect();
        Platform::ALL.into_iter().filter(|it| all.contains(it)).collect()
    }
}

fn request(session: &Session, provider: Provider, wanted: &[Platform]) -> Option<SyncRequest> {
    let asked: Vec<_> = provider.platforms().iter().copied().filter(|it| wanted.contains(it)).collect();
    let all = SyncRequest { user: session.user.id, provider, platform: None, trigger: SyncTrigger::Manual };
    match asked.as_slice() {
        [] if wanted.is_empty() => Some(all),
        [] => None,
        [one] if provider.platforms().len() > 1 => Some(SyncRequest { platform: Some(*one), ..all }),
        _ => Some(all),
    }
}

async fn detach(session: &Session, plan: &Plan, output: &Output) -> anyhow::Result<ExitCode> {
    let mut jobs = Vec::new();
    for request in &plan.requests {
        let id = work::enqueue_or_existing(session, &SyncConnection(request.clone())).await?;
        output.line(&format!(
            "job {id} syncs {} when a worker takes it (yarnnn work); see yarnnn jobs show {id}",
            request.provider
        ));
        jobs.push(json!({ "provider": request.provider, "job_id": id, "status": "queued" }));
    }
    if output.is_json() {
        output.json(&json!({ "jobs": jobs }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Syncs all connections of the plan at once; what became of each platform, in the order in which reports list them.
pub(super) async fn sync(
    session: &Session,
    plan: &Plan,
    cancel: &CancelToken,
    output: &Output,
) -> anyhow::Result<Vec<SyncedPlatform>> {
    let progress = Progress::new(&plan.platforms(), output);
    let runs = plan.requests.iter().map(|it| one(session, it, cancel.clone(), &progress, output));
    let ended = futures::future::join_all(runs).await;
    progress.clear();
    let mut reports: Vec<_> = ended.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect();
    let not_connected = |it: &Platform| format!("{it} is not connected: yarnnn connect {}", Provider::of(*it));
    reports.extend(plan.missing.iter().map(|it| SyncedPlatform::failed(*it, not_connected(it), true)));
    reports.sort_by_key(|it| Platform::ALL.iter().position(|platform| *platform == it.platform));
    Ok(reports)
}

/// One connection. What befalls it is its report, so that the others go on; only being stopped ends all.
async fn one(
    session: &Session,
    request: &SyncRequest,
    cancel: CancelToken,
    progress: &Progress,
    output: &Output,
) -> anyhow::Result<Vec<SyncedPlatform>> {
    let job = SyncConnection(request.clone());
    let ended = work::carry_through_next(session, &job, cancel, Some(progress.sink()), output).await;
    let reports = ended.and_then(read);
    let reports = match reports {
        Ok(reports) => reports,
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Cancelled)) => return Err(error),
        Err(error) => {
            let platforms = request.platform.map_or_else(|| request.provider.platforms().to_vec(), |it| vec![it]);
            platforms.into_iter().map(|it| SyncedPlatform::failed(it, format!("{error:#}"), false)).collect()
        }
    };
    progress.ended(&reports);
    Ok(reports)
}

fn read(result: Value) -> anyhow::Result<Vec<SyncedPlatform>> {
    let unreadable = |error| Error::Failed(format!("the result of the sync cannot be read: {error}"));
    Ok(serde_json::from_value(result).map_err(unreadable)?)
}

/// How far each platform is: a bar for each on a terminal, else a line for each source that is read.
struct Progress {
    bars: Vec<(Platform, ProgressBar)>,
    told: Arc<Mutex<BTreeSet<String>>>,
    output: Output,
}

impl Progress {
    fn new(platforms: &[Platform], output: &Output) -> Self {
        let names: Vec<_> = platforms.iter().map(|it| it.as_str()).collect();
        let bars = platforms.iter().copied().zip(output.bars(&names)).collect();
        Self { bars, told: Arc::default(), output: output.clone() }
    }

    fn sink(&self) -> JobProgressSink {
        let (bars, told, output) = (self.bars.clone(), self.told.clone(), self.output.clone());
        Arc::new(move |it: JobProgress| {
            let (platform, rest) = it.step.split_once(' ').unwrap_or((&it.step, ""));
            if output.is_live() {
                if let Some((_, bar)) = bars.iter().find(|(known, _)| known.as_str() == platform) {
                    bar.set_message(format!("{rest}, {} of {} sources", it.index, it.total));
                    bar.tick();
                }
                return;
            }
            let reading = it.step.rsplit_once(" (").map_or(it.step.as_str(), |(reading, _)| reading).to_owned();
            if told.lock().unwrap_or_else(PoisonError::into_inner).insert(reading.clone()) {
                output.note(&reading);
            }
        })
    }

    fn ended(&self, reports: &[SyncedPlatform]) {
        for it in reports {
            if self.output.is_live() {
                self.bars
                    .iter()
                    .filter(|(platform, _)| *platform == it.platform)
                    .for_each(|(_, bar)| bar.set_message(summary(it)));
            } else {
                self.output.note(&format!("{}: {}", it.platform, summary(it)));
            }
        }
    }

    fn clear(&self) {
        self.bars.iter().for_each(|(_, bar)| bar.finish_and_clear());
    }
}

/// The object of a sync.
pub(super) fn json(reports: &[SyncedPlatform]) -> Value {
    json!({ "platforms": reports })
}

/// Whether everything that was asked for was read.
pub(super) fn is_ok(reports: &[SyncedPlatform]) -> bool {
    reports.iter().all(|it| it.outcome.is_ok())
}

/// A sync for people.
pub(super) fn show(reports: &[SyncedPlatform], output: &Output) {
    for it in reports {
        let account = it.account.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
        output.line(&output.tone(&format!("{}{account}", it.platform), Tone::Strong));
        if !it.resources.is_empty() {
            output.table(&["source", "outcome", "items", "gone", "gaps", "error"], it.resources.iter().map(row).collect());
        }
        let tone = match it.outcome {
            SyncOutcome::Ok | SyncOutcome::OkEmpty => Tone::Good,
            SyncOutcome::Degraded => Tone::Warning,
            SyncOutcome::Failed => Tone::Bad,
        };
        output.line(&output.tone(&summary(it), tone));
        for gap in it.resources.iter().flat_map(|it| &it.gaps) {
            output.line(&output.tone(&format!("  not seen: {}", gap.reason), Tone::Faint));
        }
    }
}

fn summary(it: &SyncedPlatform) -> String {
    let skipped = it.skipped.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
    let error = it.error.as_deref().map(|it| format!("; {it}")).unwrap_or_default();
    format!("{}: {} items new or changed{skipped}{error}", it.outcome.as_str(), it.items_synced)
}

fn row(it: &SyncedResource) -> Vec<String> {
    vec![
        if it.name.is_empty() { it.resource_id.clone() } else { it.name.clone() },
        it.outcome.as_str().to_owned(),
        it.items.to_string(),
        it.gone.to_string(),
        it.gaps.len().to_string(),
        it.error.clone().unwrap_or_default(),
    ]
}
