//! All checks, one after the other. Exit code 1 when something is wrong, 3 when it is the key of what is connected.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::Config;
use yarnnn::accounts::Email;
use yarnnn::config::Writer;
use yarnnn::deliverables::{DeliverableStatus, Destination};
use yarnnn::delivery::ChannelKind;
use yarnnn::llm::usd;
use yarnnn::platform::{Gap, Platform};
use yarnnn::store::{PlatformStats, SealKeys, Stats};
use yarnnn::sync::ResourceStatus;

use super::super::when;
use super::check::{Check, bad, good};
use super::{live, schedules};
use crate::exit::{CONFIGURATION, FAILED};
use crate::output::{Output, Tone};
use crate::session::Session;

/// A new key, and nothing else.
pub(in super::super) fn new_key(output: &Output) -> ExitCode {
    let key = SealKeys::generate();
    if output.is_json() {
        output.json(&json!({ "key": key }));
    } else {
        output.line(&key);
    }
    ExitCode::SUCCESS
}

pub(in super::super) async fn execute(user: Option<Email>, output: &Output) -> anyhow::Result<ExitCode> {
    let config = Config::from_env()?;
    let mut checks = vec![model(&config), mail(&config), outbox(&config.outbox.folder)];
    let store = yarnnn::open_store(&config).await?;
    checks.push(good("database", format!("{}, schema {}", config.database.display_url(), store.schema_version().await?)));
    checks.push(match store.integrity().await {
        Ok(()) => good("integrity", "the database is sound".to_owned()),
        Err(error) => bad("integrity", error.to_string()),
    });
    let session = Session::open(user).await?;
    let sources = session.yarnnn.content().coverage(session.user.id, &[]).await.map_err(yarnnn::Error::from)?;
    checks.extend(live::checks(&session).await?);
    let known = session.platform_sync()?.sources(&session.user, None).await?;
    let is_live = |it: &&ResourceStatus| known.iter().any(|known| known.selected && known.source == it.resource);
    checks.extend(sources.iter().filter(|it| !is_live(it)).filter_map(source));
    checks.extend(sources.iter().filter(is_live).flat_map(|it| it.gaps.iter().map(move |gap| missed(it, gap))));
    checks.push(good("sources", format!("{} known", sources.len())));
    let stats = store.stats(session.user.id).await?;
    checks.push(good("content", content(&stats)));
    checks.push(unsent(&stats));
    checks.extend(destinations(&session).await?);
    checks.extend(schedules::check(&session).await?);
    let activity = session.yarnnn.activity().recent(session.user.id, 5).await.map_err(yarnnn::Error::from)?;
    let problems = checks.iter().filter(|it| it.problem).count();
    if output.is_json() {
        output.json(&describe(&checks, &sources, problems));
    } else {
        show(&checks, output);
        for it in activity {
            output.line(&output.tone(&format!("{}  {}", when::show(Some(it.created_at)), it.summary), Tone::Faint));
        }
    }
    Ok(match checks.iter().any(|it| it.of_settings) {
        true => ExitCode::from(CONFIGURATION),
        false if problems > 0 => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

fn model(config: &Config) -> Check {
    match &config.model.writer {
        Writer::Named(name) if name == "extractive" => {
            good("writer", "extractive: copies the sources' own sentences, no key, no cost".to_owned())
        }
        Writer::Named(name) => named_model(config, name),
        Writer::Recorded(path) => good("writer", format!("recorded: replays {}", path.display())),
    }
}

/// A model of a provider: what it stands for today, and what it may cost.
fn named_model(config: &Config, name: &str) -> Check {
    let caps = config.model.models.caps;
    let capped = [("run", caps.run), ("user and day", caps.user_day), ("day", caps.installation_day)];
    let capped: Vec<_> = capped.iter().filter_map(|(of, cap)| cap.map(|it| format!("{} a {of}", usd(it)))).collect();
    let capped = if capped.is_empty() { "no cap on spending".to_owned() } else { format!("at most {}", capped.join(", ")) };
    match config.model.models.catalogue.choose(name) {
        Ok(chosen) => {
            let note = chosen.note.map(|it| format!("; {it}")).unwrap_or_default();
            good("writer", format!("{} ({capped}){note}", chosen.model.name()))
        }
        Err(error) => bad("writer", format!("{error} (YARNNN_MODEL_WRITER)")),
    }
}

/// How mails go out.
fn mail(config: &Config) -> Check {
    match (&config.outbox.mail, config.outbox.check_mail()) {
        (Ok(mail), _) => good("mail", format!("sent through Resend, from {}", mail.from)),
        (Err(_), Ok(())) => good("mail", "left as files in the outbox folder".to_owned()),
        (Err(_), Err(error)) => good("mail", format!("not sent: {error}")),
    }
}

/// Whether what is standing could be delivered, where that takes an account of the user's.
async fn destinations(session: &Session) -> anyhow::Result<Vec<Check>> {
    let all = session.yarnnn.deliverables().list(session.user.id).await?;
    let mut checks = Vec::new();
    for it in all.iter().filter(|it| it.status == DeliverableStatus::Active) {
        let accounts: Vec<_> = it.destinations.iter().map(Destination::channel).filter(|it| is_account(*it)).collect();
        if accounts.is_empty() {
            continue;
        }
        let names = accounts.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
        checks.push(match session.yarnnn.deliverables().ready(it).await {
            Ok(()) => good("delivery", format!("\"{}\" can be delivered ({names})", it.title)),
            Err(error) => bad("delivery", format!("\"{}\": {error}", it.title)),
        });
    }
    Ok(checks)
}

const fn is_account(channel: ChannelKind) -> bool {
    matches!(channel, ChannelKind::Slack | ChannelKind::Gmail | ChannelKind::Notion)
}

/// Whether the folder, or the nearest one above it that exists, can be written to.
fn outbox(folder: &Path) -> Check {
    let there = folder.ancestors().find(|it| it.as_os_str().is_empty() || it.exists()).unwrap_or(folder);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    match std::fs::metadata(there) {
        Ok(metadata) if metadata.is_dir() && !metadata.permissions().readonly() => good("outbox", folder.display().to_string()),
        Ok(_) => bad("outbox", format!("{} cannot be written to (YARNNN_OUTBOX_DIR)", there.display())),
        Err(error) => bad("outbox", format!("{}: {error} (YARNNN_OUTBOX_DIR)", there.display())),
    }
}

fn source(it: &ResourceStatus) -> Option<Check> {
    let gap = it.gaps.first().map(|gap| gap.reason.clone());
    let finding = it.last_error.clone().or(gap)?;
    let text = format!("{} ({}): {finding}", it.resource, it.resource_name);
    // Only live sources are read once more: this one is no longer among those that are synced.
    let was_live = it.audited_at.is_some();
    Some(if was_live { good("source", format!("{text}; it is no longer synced")) } else { bad("source", text) })
}

/// A gap of a live source is closed by the next syncs: it is told, and no problem.
fn missed(it: &ResourceStatus, gap: &Gap) -> Check {
    good("gap", format!("{} ({}): {}", it.resource, it.resource_name, gap.reason))
}

fn content(stats: &Stats) -> String {
    let platform =
        |(platform, it): (&Platform, &PlatformStats)| format!("{platform} {} items in {} revisions", it.current, it.rows);
    let platforms: Vec<_> = stats.platforms.iter().map(platform).collect();
    let stored = if platforms.is_empty() { "nothing stored yet".to_owned() } else { platforms.join(", ") };
    format!("{stored}; {} versions", stats.versions)
}

fn unsent(stats: &Stats) -> Check {
    let waiting: u64 = stats.outbox.iter().filter(|(state, _)| **state != "sent").map(|(_, count)| count).sum();
    match waiting {
        0 => good("deliveries", "nothing is waiting".to_owned()),
        count @ 1.. => bad(
            "deliveries",
            format!("{count} messages have not arrived; `yarnnn run` of their deliverable sends the same bytes again"),
        ),
    }
}

fn describe(checks: &[Check], sources: &[ResourceStatus], problems: usize) -> Value {
    let checks: Vec<_> =
        checks.iter().map(|it| json!({ "name": it.name, "finding": it.finding, "problem": it.problem })).collect();
    let source = |it: &ResourceStatus| {
        json!({
            "resource_id": it.resource,
            "name": it.resource_name,
            "last_synced_at": it.last_synced_at,
            "items": it.item_count,
            "newest": it.source_latest_at,
            "error": it.last_error,
            "covered": it.covered,
            "gaps": it.gaps,
        })
    };
    json!({ "problems": problems, "checks": checks, "sources": sources.iter().map(source).collect::<Vec<_>>() })
}

fn show(checks: &[Check], output: &Output) {
    for it in checks {
        let (mark, tone) = if it.problem { ("problem", Tone::Bad) } else { ("ok     ", Tone::Good) };
        output.line(&format!("{} {:<11} {}", output.tone(mark, tone), it.name, it.finding));
    }
}
