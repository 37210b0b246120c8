//! A platform of your own: everything the store, the reports and the verifier do works on what it reads.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::deliverables::{CreateDeliverable, RunRequest};
use yarnnn::hash::Sha256;
use yarnnn::platform::{
    Author, ContentType, Fetch, FetchPage, Item, Next, PageToken, Platform, PlatformClient, PlatformError, Probe, Resource,
    ResourceId, ResourceKind, ResourcePage,
};
use yarnnn::sync::SyncOptions;

/// A logbook: lines of `author: text`, an hour apart, read as a Slack channel.
#[derive(Debug)]
struct Logbook {
    lines: &'static str,
    begun: DateTime<Utc>,
}

#[async_trait]
impl PlatformClient for Logbook {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        Ok(Probe { account_id: "logbook".into(), account_name: None, scopes: vec![] })
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let id = ResourceId::new(Platform::Slack, "logbook")
            .map_err(|error| PlatformError::Protocol { call: "resources".into(), detail: error.to_string() })?;
        Ok(ResourcePage { resources: vec![Resource::new(id, "#logbook", ResourceKind::Channel)], ..ResourcePage::default() })
    }

    async fn fetch(&self, _fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let items = self.lines.lines().zip(0_i32..).map(|(line, number)| {
            let (author, text) = line.split_once(": ").unwrap_or(("unknown", line));
            Item {
                item_id: number.to_string(),
                content_type: ContentType::Message,
                content_hash: Sha256::of(text),
                content: text.to_owned(),
                title: None,
                author: Some(Author { name: author.to_owned(), id: None }),
                is_user_authored: false,
                source_timestamp: Some(self.begun + TimeDelta::hours(1) * number),
                metadata: serde_json::json!({}),
                records: 1,
            }
        });
        let items = items.collect();
        Ok(FetchPage {
            items,
            quarantined: vec![],
            filtered: vec![],
            covered: vec![],
            next: Next::done(None),
            ..FetchPage::default()
        })
    }
}

const LINES: &str = "Ines: We decided to anchor in the northern bay until the storm has passed.
Tomas: The second bilge pump is repaired and was tested for an hour.
Ines: The mainsail is blocked by a torn batten pocket, so we cannot leave before Thursday.
Tomas: I will sew the batten pocket tomorrow morning and report by noon.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let (user, now) = (yarnnn.local_user().await?, yarnnn.clock().now());
    let logbook = Logbook { lines: LINES, begun: now - TimeDelta::hours(9) };
    yarnnn.sync().run(&logbook, &SyncOptions::import(user.id, now)).await?;

    let report = yarnnn.deliverables().create(&user, CreateDeliverable::new("status_report", "Ship's report")).await?;
    let outcome = yarnnn.deliverables().run(&yarnnn.stage_cx(), &RunRequest::of(user.id, report.id)).await?;
    println!("{}", outcome.version.and_then(|it| it.final_content).unwrap_or_default());
    Ok(())
}
