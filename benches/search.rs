//! Full-text search over 100,000 items: median and 99th percentile of each kind of question.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]

use std::time::{Duration, Instant};

use yarnnn::platforms::export::{self, Limits};
use yarnnn::search::SearchQuery;
use yarnnn::sync::{ContentQuery, SyncOptions};
use yarnnn_sim::generate;

const ITEMS: u64 = 100_000;
const ASKED: usize = 300;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = folder.path().join("slack.zip");
    generate::slack_export(&slack, ITEMS, 20, 3)?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let (user, now) = (yarnnn.local_user().await?, yarnnn.clock().now());
    for source in export::open(&slack, Limits::default())?.sources {
        yarnnn.sync().run(source.client.as_ref(), &SyncOptions::import(user.id, now)).await?;
    }
    let stored =
        yarnnn.content().query(&ContentQuery { user: user.id, resources: vec![], within: None, at: now, limit: 2_000 }).await?;
    let words: Vec<String> = stored
        .iter()
        .flat_map(|it| {
            it.content
                .split(|ch: char| !ch.is_alphanumeric())
                .filter(|it| it.len() > 3)
                .map(str::to_owned)
                .take(2)
                .collect::<Vec<_>>()
        })
        .collect();
    for (name, count) in [("one word", 1), ("two words", 2)] {
        let mut times = Vec::with_capacity(ASKED);
        let mut found = 0;
        for index in 0..ASKED {
            let text = words.iter().cycle().skip(index * 7).take(count).cloned().collect::<Vec<_>>().join(" ");
            let query = SearchQuery {
                user: user.id,
                text,
                platforms: vec![],
                resources: vec![],
                author: None,
                within: None,
                at: now,
                limit: 20,
            };
            let begun = Instant::now();
            found += yarnnn.search().search(&query).await?.len();
            times.push(begun.elapsed());
        }
        times.sort();
        let at = |percent: usize| times[times.len() * percent / 100].min(Duration::MAX);
        println!(
            "{name}: p50 {:?}  p99 {:?}  ({:.1} hits on average, {ITEMS} items)",
            at(50),
            at(99),
            found as f64 / ASKED as f64
        );
    }
    Ok(())
}
