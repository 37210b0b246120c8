//! `yarnnn search`: stored items by their words.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::json;
use yarnnn::accounts::Email;
use yarnnn::platform::{Interval, Platform};
use yarnnn::search::{MATCH_MARKS, SearchHit, SearchQuery};

use super::{when, wishes};
use crate::cli::Search;
use crate::exit::UsageError;
use crate::output::{Output, Tone};
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, arguments: Search, output: &Output) -> anyhow::Result<ExitCode> {
    let (platforms, sources, within) = (platforms(&arguments)?, wishes::parse_sources(&arguments.sources)?, within(&arguments)?);
    let session = Session::open(user).await?;
    let sources = session.yarnnn.deliverables().resolve_sources(session.user.id, &sources).await?;
    let query = SearchQuery {
        user: session.user.id,
        text: arguments.query.join(" "),
        platforms,
        resources: sources.into_iter().map(|it| it.resource).collect(),
        author: arguments.author,
        within,
        at: session.yarnnn.clock().now(),
        limit: arguments.limit,
    };
    let hits = session.yarnnn.search().search(&query).await.map_err(yarnnn::Error::from)?;
    if output.is_json() {
        output.json(&json!({ "results": hits.iter().map(describe).collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    if hits.is_empty() {
        output.line("nothing found");
    }
    for hit in &hits {
        show(hit, output);
    }
    Ok(ExitCode::SUCCESS)
}

fn platforms(arguments: &Search) -> anyhow::Result<Vec<Platform>> {
    let platform = |text: &String| text.parse::<Platform>().map_err(|error| UsageError(format!("--platform: {error}")).into());
    arguments.platform.iter().map(platform).collect()
}

fn within(arguments: &Search) -> Result<Option<Interval>, UsageError> {
    if arguments.from.is_none() && arguments.to.is_none() {
        return Ok(None);
    }
    let instant = |name: &str, text: &Option<String>, default: DateTime<Utc>| {
        text.as_deref().map_or(Ok(default), |it| when::instant(name, it))
    };
    let from = instant("--from", &arguments.from, DateTime::<Utc>::UNIX_EPOCH)?;
    let to = instant("--to", &arguments.to, DateTime::<Utc>::from_timestamp(253_402_300_799, 0).unwrap_or_default())?;
    Ok(Some(Interval { from, to }))
}

fn describe(hit: &SearchHit) -> serde_json::Value {
    json!({
        "content_id": hit.id,
        "platform": hit.resource.platform(),
        "resource_id": hit.resource.as_str(),
        "resource_name": hit.resource_name,
        "title": hit.title,
        "author": hit.author,
        "timestamp": hit.timestamp,
        "snippet": hit.snippet,
        "score": hit.score,
    })
}

fn show(hit: &SearchHit, output: &Output) {
    let author = hit.author.as_deref().unwrap_or("–");
    let head = format!("{} · {} · {author} · {}", hit.resource.platform(), hit.resource_name, when::show(hit.timestamp));
    output.line(&output.tone(&head, Tone::Faint));
    if let Some(title) = &hit.title {
        output.line(&output.tone(title, Tone::Strong));
    }
    let one_line = hit.snippet.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = |part: &str| {
        part.split_once(MATCH_MARKS.1).map_or(part.to_owned(), |(word, rest)| format!("{}{rest}", output.tone(word, Tone::Good)))
    };
    let mut parts = one_line.split(MATCH_MARKS.0);
    let first = parts.next().unwrap_or_default().to_owned();
    output.line(&parts.fold(first, |text, part| text + &found(part)));
    output.line("");
}
