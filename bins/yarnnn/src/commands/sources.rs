//! `yarnnn sources`: what is connected, source by source, and which of it is synced.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::connections::{Provider, Selection, source_limit};
use yarnnn::platform::{Gap, InvalidResourceId, Platform, ResourceId};
use yarnnn::platform_sync::{Backfilled, Coverage, Source};

use super::when;
use crate::cli::{ChangeSources, Sources};
use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, parse_provider};

pub(super) async fn execute(user: Option<Email>, arguments: Sources, output: &Output) -> anyhow::Result<ExitCode> {
    match arguments.change {
        None => {
            let provider = arguments.provider.as_deref().map(parse_provider).transpose()?;
            list(&Session::open(user).await?, provider, output).await
        }
        Some(ChangeSources::Select { sources }) => {
            let wanted = sources.iter().map(|it| parse(it)).collect::<Result<Vec<_>, _>>()?;
            select(&Session::open(user).await?, &wanted, output).await
        }
        Some(ChangeSources::Exclude { source }) => {
            let source = parse(&source)?;
            exclude(&Session::open(user).await?, source, true, output).await
        }
        Some(ChangeSources::Include { source }) => {
            let source = parse(&source)?;
            exclude(&Session::open(user).await?, source, false, output).await
        }
        Some(ChangeSources::Fill) => fill(&Session::open(user).await?, output).await,
    }
}

fn parse(source: &str) -> Result<ResourceId, UsageError> {
    source.parse().map_err(|error: InvalidResourceId| UsageError(error.to_string()))
}

async fn list(session: &Session, provider: Option<Provider>, output: &Output) -> anyhow::Result<ExitCode> {
    let sources = session.platform_sync()?.sources(&session.user, provider).await?;
    if output.is_json() {
        output.json(&json!({ "sources": sources.iter().map(describe).collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    if sources.is_empty() {
        output.line("nothing is connected: yarnnn connect slack|notion|google");
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["platform", "id", "name", "synced", "last", "items", "coverage", "newest gap"];
    output.table(&header, sources.iter().map(row).collect());
    Ok(ExitCode::SUCCESS)
}

fn describe(it: &Source) -> Value {
    json!({
        "platform": it.source.platform(), "resource_id": it.source.as_str(), "name": it.name,
        "selected": it.selected, "excluded": it.excluded, "last_synced_at": it.last_synced_at, "items": it.items,
        "coverage": it.coverage, "newest_gap": it.newest_gap,
        "last_error": it.last_error, "last_error_at": it.last_error_at,
    })
}

fn row(it: &Source) -> Vec<String> {
    let synced = match (it.selected, it.excluded) {
        (_, true) => "excluded",
        (true, false) => "yes",
        (false, false) => "–",
    };
    let gap = |gap: &Gap| format!("{} ({})", gap.reason, when::show(gap.to.or(gap.from)));
    let problem = it.last_error.clone().filter(|_| it.coverage != Coverage::Covered);
    vec![
        it.source.platform().to_string(),
        it.source.as_str().to_owned(),
        it.name.clone(),
        synced.to_owned(),
        when::show(it.last_synced_at),
        it.items.to_string(),
        it.coverage.as_str().to_owned(),
        it.newest_gap.as_ref().map(gap).or(problem).unwrap_or_default(),
    ]
}

/// The sources with their ids; what is no id may be a name, with or without `#`.
async fn resolve(session: &Session, wanted: &[ResourceId]) -> anyhow::Result<Vec<ResourceId>> {
    let known = session.platform_sync()?.sources(&session.user, None).await?;
    let plain = |text: &str| text.trim_start_matches("label:").trim_start_matches('#').to_lowercase();
    let find = |id: &ResourceId| {
        let of_platform = || known.iter().filter(|it| it.source.platform() == id.platform());
        let by_id = of_platform().find(|it| it.source == *id);
        let found = by_id.or_else(|| of_platform().find(|it| plain(&it.name) == plain(id.as_str())));
        found.map(|it| it.source.clone()).ok_or_else(|| Error::NotFound(format!("the source {id} (yarnnn sources lists them)")))
    };
    Ok(wanted.iter().map(find).collect::<Result<_, _>>()?)
}

async fn select(session: &Session, wanted: &[ResourceId], output: &Output) -> anyhow::Result<ExitCode> {
    let wanted = resolve(session, wanted).await?;
    let mut by_provider: BTreeMap<Provider, Vec<ResourceId>> = BTreeMap::new();
    for id in wanted {
        by_provider.entry(Provider::of(id.platform())).or_default().push(id);
    }
    let sync = session.platform_sync()?;
    let mut all = Selection { selected: vec![], over_limit: vec![], unknown: vec![] };
    for (provider, wanted) in by_provider {
        let Selection { selected, over_limit, unknown } = sync.choose(&session.user, provider, &wanted).await?;
        all.selected.extend(selected);
        all.over_limit.extend(over_limit);
        all.unknown.extend(unknown);
    }
    let success = all.over_limit.is_empty() && all.unknown.is_empty();
    let message = said(session, &all);
    if output.is_json() {
        output.json(&json!({
            "success": success, "selected_sources": all.selected, "message": message,
            "over_limit": all.over_limit, "unknown": all.unknown,
        }));
    } else {
        all.selected.iter().for_each(|it| output.line(&format!("  {it}")));
        output.line(&output.tone(&message, if success { Tone::Good } else { Tone::Warning }));
    }
    Ok(if success { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn said(session: &Session, selection: &Selection) -> String {
    let mut text = format!("{} sources are synced from now on", selection.selected.len());
    if let Some(first) = selection.over_limit.first() {
        let (tier, platform) = (session.user.tier, first.platform());
        let limit = source_limit(tier, platform).map_or_else(String::new, |it| format!(" ({it} of {platform})"));
        let left_out: Vec<_> = selection.over_limit.iter().map(ToString::to_string).collect();
        text = format!("{text}; over the limit of the tier {}{limit}: {}", tier.as_str(), left_out.join(", "));
    }
    if !selection.unknown.is_empty() {
        let unknown: Vec<_> = selection.unknown.iter().map(ToString::to_string).collect();
        text = format!("{text}; no longer there: {}", unknown.join(", "));
    }
    text
}

async fn exclude(session: &Session, source: ResourceId, excluded: bool, output: &Output) -> anyhow::Result<ExitCode> {
    for source in resolve(session, &[source]).await? {
        session.platform_sync()?.exclude(&session.user, &source, excluded).await?;
        if output.is_json() {
            output.json(&json!({ "source": source, "excluded": excluded }));
        } else {
            output.line(&format!("{source} is {}", if excluded { "no longer synced" } else { "synced again" }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn fill(session: &Session, output: &Output) -> anyhow::Result<ExitCode> {
    let report = session.platform_sync()?.backfill(&session.user).await?;
    if output.is_json() {
        output.json(&json!({ "platforms": report }));
        return Ok(ExitCode::SUCCESS);
    }
    if report.is_empty() {
        output.line("nothing is connected: yarnnn connect slack|notion|google");
    }
    for Backfilled { platform, previous, added, limit, skipped } in report {
        output.line(&format!("{platform}: {previous} before, {} added, limit {}", added.len(), shown(limit)));
        for it in &added {
            output.line(&format!("  {it}"));
        }
        if let Some(reason) = skipped {
            output.line(&output.tone(&format!("  {}", why(reason, platform)), Tone::Faint));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(limit: Option<usize>) -> String {
    limit.map_or_else(|| "none".to_owned(), |it| it.to_string())
}

fn why(skipped: &str, platform: Platform) -> String {
    match skipped {
        "no_landscape" => format!("nothing is known of {platform} yet: yarnnn sync"),
        "at_limit" => "nothing was left to add".to_owned(),
        other => other.to_owned(),
    }
}
