//! Import throughput against raw batched inserts of the same text into the same kind of database, side by side in one run.
//! Prints the ratio: 1.0 would mean that hashing, versions, full text and coverage cost nothing.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite};
use yarnnn::platform::{Budget, Fetch, FetchMode, Next, PlatformClient};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::generate;

const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = folder.path().join("slack.zip");
    generate::slack_export(&slack, 40_000, 8, 1)?;
    let mbox = folder.path().join("mail.mbox");
    generate::mbox(&mbox, 24 * 1024 * 1024, 1)?;
    for (name, path) in [("Slack export, 40,000 messages", slack), ("mbox, 24 MiB", mbox)] {
        compare(name, &path).await?;
    }
    Ok(())
}

async fn compare(name: &str, path: &Path) -> anyhow::Result<()> {
    let opened = export::open(path, Limits::default())?;
    let client = opened.sources.first().ok_or_else(|| anyhow::anyhow!("nothing to import"))?.client.clone();
    let texts = texts(client.as_ref()).await?;
    let bytes: usize = texts.iter().map(|(id, text)| id.len() + text.len()).sum();
    let (mut imports, mut raws) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        raws.push(raw(&texts).await?);
        imports.push(import(client.as_ref()).await?);
    }
    let (raw, import) = (median(&mut raws), median(&mut imports));
    let rate = |time: Duration| texts.len() as f64 / time.as_secs_f64();
    println!("{name}: {} items, {:.1} MB of text", texts.len(), bytes as f64 / 1e6);
    println!(
        "  raw inserts {:>8.0} items/s   import {:>8.0} items/s   ratio {:.2}",
        rate(raw),
        rate(import),
        rate(import) / rate(raw)
    );
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Id and text of every item, read beforehand so that the raw side does not pay for reading.
async fn texts(client: &dyn PlatformClient) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for resource in client.resources(None).await?.resources {
        let mut page = None;
        loop {
            let window =
                SyncOptions::import(yarnnn::id::UserId::LOCAL, yarnnn::clock::Clock::now(&yarnnn::clock::SystemClock)).window;
            let fetch =
                Fetch { resource: resource.id.clone(), mode: FetchMode::Start { window }, page, budget: Budget::default() };
            let fetched = client.fetch(&fetch).await?;
            texts.extend(fetched.items.into_iter().map(|it| (format!("{}/{}", resource.id, it.item_id), it.content)));
            match fetched.next {
                Next::Page(token) => page = Some(token),
                Next::Done { .. } => break,
            }
        }
    }
    Ok(texts)
}

/// The same settings as the store's, 500 rows a transaction, two columns and a primary key.
async fn raw(texts: &[(String, String)]) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await?;
    sqlx::query("create table raw (id text primary key, content text not null)").execute(&mut connection).await?;
    let begun = Instant::now();
    for batch in texts.chunks(500) {
        let mut transaction = connection.begin().await?;
        let mut insert = QueryBuilder::<Sqlite>::new("insert or replace into raw (id, content) ");
        insert.push_values(batch, |mut row, (id, content)| {
            row.push_bind(id).push_bind(content);
        });
        insert.build().execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(begun.elapsed())
}

/// Reading, hashing, versions, full text, coverage: everything `yarnnn import` does.
async fn import(client: &dyn PlatformClient) -> anyhow::Result<Duration> {
    let folder = tempfile::tempdir()?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let user = yarnnn.local_user().await?;
    let options = SyncOptions::import(user.id, yarnnn.clock().now());
    let begun = Instant::now();
    yarnnn.sync().run(client, &options).await?;
    Ok(begun.elapsed())
}
